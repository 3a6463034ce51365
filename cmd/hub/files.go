package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"tradehub/hub"
	"tradehub/hub/config"
	"tradehub/hub/folder"
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

// readPolicies reads the policy files below a folder, whoever may have written them.
func readPolicies(at string) ([]hub.PolicyFile, error) {
	files, err := folder.Read(at)
	return files, noFolder(at, err)
}

// trustedPolicies reads those that the hub puts in force: a folder that others can write is not read.
func trustedPolicies(c config.Config) (folder.Content, error) {
	content, err := folder.ReadTrusted(c.Policies, folder.Trust{Group: c.PoliciesGroup, Anywhere: c.PoliciesAnywhere})
	if unsafe := (*folder.UnsafeError)(nil); errors.As(err, &unsafe) {
		return content, not("policies decide which orders pass, so nobody else may write them", "the policies are not read:\n%w", err)
	}
	return content, noFolder(c.Policies, err)
}

func noFolder(at string, err error) error {
	if errors.Is(err, folder.ErrNone) {
		return not("policies: in hub.yaml names the folder", "there is no folder of policies %s", at)
	}
	return err
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
