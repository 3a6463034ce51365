package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// check looks at a plugin's program before it is started: it must be there, executable, and nobody but its owner may be able to put another in its place. What is wrong is
// said with the command that mends it.
func check(config PluginConfig) error {
	path, err := filepath.Abs(config.Path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no program %s; \"make build\" builds the plugins", path)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a program", path)
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable: chmod +x %s", path, path)
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("%s is writable by everybody: chmod o-w %s", path, path)
	}
	return checkDirs(path)
}

// checkDirs looks at every directory on the way to a program, as it is named and as it is when links are followed.
func checkDirs(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, way := range []string{path, real} {
		for dir := filepath.Dir(way); ; dir = filepath.Dir(dir) {
			info, err := os.Stat(dir)
			if err != nil {
				return err
			}
			// In a sticky directory such as /tmp others can add files, but not replace those of another owner: bad for the
			// program's own directory only.
			sticky := info.Mode()&fs.ModeSticky != 0 && dir != filepath.Dir(way)
			if info.Mode().Perm()&0o002 != 0 && !sticky {
				return fmt.Errorf("directory %s is writable by everybody, who could put another program in the place of %s: chmod o-w %s", dir, path, dir)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return nil
}

// makeDir makes a plugin's state directory.
func makeDir(config PluginConfig) (string, error) {
	if config.Dir == "" {
		return "", errors.New("no directory for its state is configured")
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}
