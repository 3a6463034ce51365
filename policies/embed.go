// Package policies holds the sample policies and the library of rules, so that the demo and a desk need no files of the project's.
package policies

import "embed"

// Files are the sample policies, fund.yaml and traders/*.yaml, and the library, by the names that policy.Compile and refusals use, with their tests.
//
//go:embed *.yaml traders/*.yaml library/*.yaml
var Files embed.FS
