package policytest

// Coverage counts, over all tests of a run, which rules an order passed and which refused one.
type Coverage struct{}
