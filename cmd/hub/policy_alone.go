package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
)

// beside are the library files that policy files use and that are not among them: a file that is checked alone, as an editor does it, finds its libraries from its policy folder. One that is among
// the files by another name gets the name by which it is used. shown has the path of each file by its name, and gets those of what is added.
// guesses are the paths of those that nobody uses, and that may be meant where one is not there.
func beside(files []hub.PolicyFile, shown map[string]string) (all []hub.PolicyFile, guesses []string) {
	has := func(name string) bool {
		return slices.ContainsFunc(files, func(f hub.PolicyFile) bool { return f.Name == name })
	}
	add := func(name, at string) bool {
		text, err := os.ReadFile(at)
		if err != nil {
			return false
		}
		for i := range files {
			if samePath(shown[files[i].Name], at) {
				shown[name] = shown[files[i].Name]
				files[i].Name = name
				return true
			}
		}
		shown[name] = at
		files = append(files, hub.PolicyFile{Name: name, Text: string(text)})
		return true
	}
	for _, f := range slices.Clone(files) {
		from := shown[f.Name]
		for _, name := range usedBy(f.Text) {
			if has(name) {
				continue
			}
			root, ok := policyRoot(from, name)
			if !ok || add(name, filepath.Join(root, filepath.FromSlash(name))) {
				continue
			}
			// It is not there, which is an error that can say which is.
			others, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(path.Dir(name)), "*.yaml"))
			for _, at := range others {
				if other := path.Join(path.Dir(name), filepath.Base(at)); !isTest(at) && !has(other) && add(other, at) {
					guesses = append(guesses, shown[other])
				}
			}
		}
	}
	return files, guesses
}

// usedBy are the libraries that a policy names.
func usedBy(text string) []string {
	var p struct {
		Use []struct {
			File string `yaml:"file"`
		} `yaml:"use"`
	}
	if err := yaml.Unmarshal([]byte(text), &p); err != nil {
		return nil // which the compiler says better
	}
	var names []string
	for _, u := range p.Use {
		if filepath.IsLocal(filepath.FromSlash(u.File)) {
			names = append(names, u.File)
		}
	}
	return names
}

// policyRoot is the policy folder of a file that uses a library: the nearest above it that has the fund's policy, when it has the library; or else one that has; or one with a folder of libraries.
func policyRoot(file, library string) (string, bool) {
	at, ok := fundFolder(file)
	folders := above(file)
	if ok {
		folders = slices.Insert(folders, 0, at)
	}
	for _, wanted := range []string{library, path.Dir(library)} {
		for _, at := range folders {
			if _, err := os.Stat(filepath.Join(at, filepath.FromSlash(wanted))); err == nil && wanted != "." {
				return at, true
			}
		}
	}
	return "", false
}

func samePath(a, b string) bool {
	x, err := filepath.Abs(a)
	if err != nil {
		return false
	}
	y, err := filepath.Abs(b)
	return err == nil && x == y
}
