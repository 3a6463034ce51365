package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"tradehub/hub"
)

// FilesMax bounds what is read; package policy bounds what is compiled.
const FilesMax = 2000

// BytesMax is the longest file that is read. Package policy refuses shorter ones already, with a better word.
const BytesMax = 4 << 20

// ErrNone says that the folder is not there.
var ErrNone = errors.New("there is no such folder")

// Is reports whether a file of that name is a policy: a .yaml or .yml that is neither hidden nor a test, which ends in _test.
func Is(name string) bool {
	ext, base := path.Ext(name), path.Base(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasSuffix(strings.TrimSuffix(name, ext), "_test") && !strings.HasPrefix(base, ".")
}

// Read reads the policy files below a folder, sorted by name. Names are as seen from the folder, with slashes, since they stand in refusals and in the revision. Who may write them is not asked.
func Read(folder string) ([]hub.PolicyFile, error) {
	root, err := open(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	files, err := ReadFS(root.FS())
	if err != nil {
		return nil, fmt.Errorf("policies %s: %w", folder, err)
	}
	return files, nil
}

func open(folder string) (*os.Root, error) {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("policies %s: %w", folder, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("policies %s: %w", folder, err)
	}
	return root, nil
}

// ReadFS is Read of a file system.
func ReadFS(files fs.FS) (out []hub.PolicyFile, err error) {
	err = walk(files, func(name string, text []byte, _ fs.FileInfo) {
		out = append(out, hub.PolicyFile{Name: name, Text: string(text)})
	})
	return out, err
}

// walk calls what with every policy file, in the order of their names. What it says of a file is of the very one that was read.
func walk(files fs.FS, what func(name string, text []byte, info fs.FileInfo)) error {
	var names []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case d.IsDir() || !Is(name):
			return nil
		case len(names) == FilesMax:
			return fmt.Errorf("more than %d policy files", FilesMax)
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := readOne(files, name, what); err != nil {
			return err
		}
	}
	return nil
}

func readOne(files fs.FS, name string, what func(string, []byte, fs.FileInfo)) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, BytesMax+1))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > BytesMax {
		return fmt.Errorf("%s is longer than %d bytes", name, BytesMax)
	}
	what(name, text, info)
	return nil
}

// Content is what the folder had at one time.
type Content struct {
	Files []hub.PolicyFile
	// Owners are the names of the users who own the files, by the files' names. Whoever saved a file last owns it where the editor replaces files; else it is who made it.
	Owners map[string]string
	// Owner is the name of the user who owns the folder.
	Owner string
}

// Digest is a hash of names and texts.
func (c Content) Digest() string {
	h := sha256.New()
	for _, f := range c.Files {
		fmt.Fprintf(h, "%d %s %d %s\n", len(f.Name), f.Name, len(f.Text), f.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Changed are the names of the files that are different from those before, are new, or are gone; sorted.
func (c Content) Changed(before Content) []string {
	texts := func(c Content) map[string][]byte {
		out := make(map[string][]byte, len(c.Files))
		for _, f := range c.Files {
			out[f.Name] = []byte(f.Text)
		}
		return out
	}
	was, is := texts(before), texts(c)
	var out []string
	for name, text := range is {
		if old, ok := was[name]; !ok || !bytes.Equal(old, text) {
			out = append(out, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Authors are the owners of some files, each once, sorted; of files that are gone nobody is known.
func (c Content) Authors(names []string) []string {
	var out []string
	for _, name := range names {
		if owner := c.Owners[name]; owner != "" {
			out = append(out, owner)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
