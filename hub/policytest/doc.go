// Package policytest plays tests of policies through the real core.
//
// A test file (_test.yaml) says who trades with what, and then, step by step, what happens: orders, cancels, fills, prices, time; and what must come of it. Read reads one file with
// every error in it; Run plays its tests. Each test has a hub of its own: core.Step decides, policy.Compile compiles, a calendar rolls the days; only the venue is played by the
// test. What a test says is therefore what a hub does.
//
// The package opens no file and reads no clock: the caller hands it texts. It never sends anything anywhere.
package policytest
