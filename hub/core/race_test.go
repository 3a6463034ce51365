//go:build race

package core_test

// raced: the race detector makes everything some ten times as slow.
const raced = true
