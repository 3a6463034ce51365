// Package policies holds the sample policies, so that the demo needs no files.
package policies

import "embed"

// Files are the sample policies, fund.yaml and traders/*.yaml, and the library, by the names that policy.Compile and refusals use, with their tests.
//
//go:embed *.yaml traders/*.yaml library/*.yaml
var Files embed.FS
