package main

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker: -X main.version=v1.2.3.
var version = ""

func versionVerb() verb {
	return verb{
		name: "version", short: "which hub this is",
		long: "Prints the version, the commit that it was built from, if that is known, and the Go that built it.",
		prepare: func(*flag.FlagSet) func(env, []string) error {
			return func(e env, _ []string) error {
				fmt.Fprintf(e.stdout, "hub %s %s %s/%s\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return nil
			}
		},
	}
}

// versionText is the linker's version, or what the build knows of its commit.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	text, changed := "dev", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			text = "dev-" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "-dirty"
		}
	}
	return text + changed
}
