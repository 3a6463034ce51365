// Package config turns the bytes of hub.yaml into a Config, or into everything that is wrong with them: every error of the file at once, each with its line, its column,
// the way to the value, and what to write instead. Nothing is silently ignored: an unknown key, a second document and an anchor are errors.
//
// It is three pure steps, each a function of the one before: the text becomes a tree, the tree becomes values, the values are held against each other. `hub check` and
// `hub serve` take the same three. The package reads no file, binds no address and starts no plugin; a plugin's own settings it passes on as they are.
package config
