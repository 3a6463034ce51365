package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrInUse says that another process has the data directory open.
var ErrInUse = errors.New("in use")

const (
	dirMode  = 0o700
	fileMode = 0o600
)

// makeDir makes the data directory, or checks the one that is there.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("data directory %s can be written by others (mode %04o); mend it with: chmod 700 %s", dir, mode, dir)
	}
	for _, sub := range []string{walDir, snapshotsDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), dirMode); err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	return nil
}

// lock is the hold of one process on a data directory. The system lets go of
// it when the process ends, however it ends.
type lock struct {
	file *os.File
	// clean says that the last process to hold it released it in good order.
	clean bool
}

// takeLock takes hold of dir, or says which process has it.
func takeLock(dir string) (*lock, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder := readHolder(f)
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %s is %w by %s", dir, ErrInUse, holder)
		}
		return nil, fmt.Errorf("data directory: lock %s: %w", path, err)
	}
	l := &lock{file: f}
	if err := l.claim(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data directory: write %s: %w", path, err)
	}
	return l, nil
}

// cleanMark is what a process leaves behind that had everything on disk when it
// let go. Nothing at all in the file does not count: a person may have deleted it.
const cleanMark = "clean\n"

// claim replaces the clean mark by this process's id.
func (l *lock) claim() error {
	b, err := io.ReadAll(io.NewSectionReader(l.file, 0, 32))
	if err != nil {
		return err
	}
	l.clean = string(b) == cleanMark
	return l.write(fmt.Sprintf("%d\n", os.Getpid()))
}

// write puts s over what is there before it cuts off the rest, so that a crash
// between the two leaves no mark.
func (l *lock) write(s string) error {
	if _, err := l.file.WriteAt([]byte(s), 0); err != nil {
		return err
	}
	if err := l.file.Truncate(int64(len(s))); err != nil {
		return err
	}
	return l.file.Sync()
}

// release lets go. With clean, the next to open the directory relies on all
// that was written being on disk.
func (l *lock) release(clean bool) error {
	var err error
	if clean {
		err = l.write(cleanMark)
	}
	return errors.Join(err, l.file.Close())
}

func readHolder(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return "another process"
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return "another process"
	}
	return fmt.Sprintf("hub process %d", pid)
}

// freeBytes is the space in dir's file system that is left to this process.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return s.Bavail * uint64(s.Bsize), nil
}
