// Package policies holds the sample policies, so that the demo needs no files.
package policies

import "embed"

// Files are the sample policies: fund.yaml and traders/*.yaml, by the names that policy.Compile and refusals use.
//
//go:embed *.yaml traders/*.yaml
var Files embed.FS
