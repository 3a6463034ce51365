package config

import (
	"maps"
	"slices"
)

// Meanings are the paths that there is a sentence for.
func Meanings() []string { return slices.Sorted(maps.Keys(meanings)) }
