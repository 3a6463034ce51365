package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tradehub/hub"
	"tradehub/hub/config"
)

// readConfig reads and parses a configuration file. What is wrong in it comes back as lines.
func readConfig(file string) (config.Config, []string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, nil, not("name the file with --config; hub demo needs none", "there is no configuration %s", file)
	}
	if err != nil {
		return config.Config{}, nil, err
	}
	c, errs := config.Parse(file, text)
	lines := make([]string, len(errs))
	for i, e := range errs {
		lines[i] = e.Error()
	}
	return c, lines, nil
}

// mustConfig is readConfig for verbs that cannot go on with a wrong one: it writes every error.
func mustConfig(e env, file string) (config.Config, error) {
	c, lines, err := readConfig(file)
	if err != nil {
		return config.Config{}, err
	}
	if len(lines) > 0 {
		writeLines(e.stderr, lines)
		return config.Config{}, not("", "%s in %s", count(len(lines), "error"), file)
	}
	return c, nil
}

// policyFilesMax bounds what is read; package policy bounds what is compiled.
const policyFilesMax = 2000

// readPolicies reads the policy files below a folder, sorted by name: every .yaml and .yml but tests, which end in _test. Names are as seen from the folder,
// with slashes, since they stand in refusals and in the revision.
func readPolicies(folder string) ([]hub.PolicyFile, error) {
	return readPoliciesFS(os.DirFS(folder), folder)
}

func readPoliciesFS(files fs.FS, folder string) ([]hub.PolicyFile, error) {
	var out []hub.PolicyFile
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(d.Name(), ".") && name != "."; d.IsDir() && hidden {
			return fs.SkipDir
		} else if hidden || d.IsDir() || !isPolicy(name) {
			return nil
		}
		if len(out) == policyFilesMax {
			return fmt.Errorf("more than %d policy files", policyFilesMax)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		out = append(out, hub.PolicyFile{Name: name, Text: string(text)})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, not("policies: in hub.yaml names the folder", "there is no folder of policies %s", folder)
	}
	if err != nil {
		return nil, fmt.Errorf("policies %s: %w", folder, err)
	}
	slices.SortFunc(out, func(a, b hub.PolicyFile) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func isPolicy(name string) bool {
	ext := path.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasSuffix(strings.TrimSuffix(name, ext), "_test")
}

// findPlugin answers where a plugin's program is: in the folder that the configuration names, or else beside the hub.
func findPlugin(e env, c config.Config, name string) string {
	if c.PluginDir != "" {
		return filepath.Join(c.PluginDir, name)
	}
	beside := filepath.Dir(e.program)
	if real, err := filepath.EvalSymlinks(e.program); err == nil {
		beside = filepath.Dir(real)
	}
	inFolder := filepath.Join(beside, "plugins", name)
	if _, err := os.Stat(inFolder); err == nil {
		return inFolder
	}
	if _, err := os.Stat(filepath.Join(beside, name)); err == nil {
		return filepath.Join(beside, name)
	}
	return inFolder
}
