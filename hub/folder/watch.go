package folder

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/hashicorp/go-hclog"
)

// Defaults of a Watcher.
const (
	// QuietDefault is how long nothing may have changed before a change is told: an editor that writes in place, or somebody who saves three files, is not read half-way.
	QuietDefault = 300 * time.Millisecond
	// InPlaceDefault is the same for a file that was written where it stood, and not replaced: whoever writes it may pause, and what is there then is a part of it.
	InPlaceDefault = 2 * time.Second
	// LookDefault is how often the folder is looked at though nothing was heard of it: a file system may not say what changes on another machine.
	LookDefault = 10 * time.Second
	// LockedMax is how long git's lock is waited for. One that is older was left behind.
	LockedMax = time.Minute
)

// Watcher notices that the policies in a folder changed. Its fields are set before Run.
type Watcher struct {
	Folder string
	// Changed is called once at the beginning, and then whenever the folder has come to rest in another shape; by one goroutine. Files that were saved without a change are told as well. When
	// it answers false it is called again after Look, though nothing changes.
	Changed func() bool
	Log     hclog.Logger
	// Quiet, InPlace, Look and Locked are 0 for their defaults.
	Quiet, InPlace, Look, Locked time.Duration

	notify *fsnotify.Watcher
	stamps map[string]stamp // of the files, when they were told last
	deaf   bool             // the system cannot tell of changes, so only looking helps
}

// Run watches until ctx ends. Where the system cannot tell of changes it looks now and then, and says so in the log.
func (w *Watcher) Run(ctx context.Context) {
	w.Quiet, w.InPlace = orDefault(w.Quiet, QuietDefault), orDefault(w.InPlace, InPlaceDefault)
	w.Look, w.Locked = orDefault(w.Look, LookDefault), orDefault(w.Locked, LockedMax)
	var heard chan fsnotify.Event
	var failed chan error
	if w.deaf {
		w.Log.Debug("nobody is asked to tell of changes")
	} else if n, err := fsnotify.NewWatcher(); err != nil {
		w.cannot(err)
	} else {
		w.notify, heard, failed = n, n.Events, n.Errors
		defer func() { _ = n.Close() }()
	}
	w.listen()
	look := time.NewTicker(w.Look)
	defer look.Stop()
	quiet := time.NewTimer(w.Quiet)
	defer quiet.Stop()
	var told uint64 // of no folder, so that the first is told: it may have changed before we listened
	before, _ := w.shape()
	var restsSince time.Time // before is the shape since then
	var lockedSince time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-heard:
			if !ok {
				heard = nil
				continue
			}
			quiet.Reset(w.Quiet)
		case err, ok := <-failed:
			if !ok {
				failed = nil
				continue
			}
			w.cannot(err) // as when the system's queue ran over: something was missed
			quiet.Reset(w.Quiet)
		case <-look.C:
			if now, _ := w.shape(); now != told {
				quiet.Reset(w.Quiet)
			}
		case <-quiet.C:
			now, stamps := w.shape()
			if now == told {
				before, lockedSince = now, time.Time{}
				continue
			}
			w.listen() // to folders that are new
			if now != before {
				before, restsSince = now, time.Now()
				quiet.Reset(w.Quiet)
				continue
			}
			if w.inPlace(stamps) && time.Since(restsSince) < w.InPlace {
				w.Log.Debug("a policy file was written where it stands: it must rest", "for", w.InPlace)
				quiet.Reset(w.Quiet)
				continue
			}
			if lock := w.lock(); lock != "" {
				if lockedSince.IsZero() {
					lockedSince = time.Now()
					w.Log.Debug("git is changing the policy folder: its end is waited for", "lock", lock)
				}
				if time.Since(lockedSince) < w.Locked {
					quiet.Reset(w.Quiet)
					continue
				}
				w.Log.Warn("git has not ended what it does in the policy folder; its files are read all the same", "lock", lock, "since", lockedSince.Format(time.TimeOnly))
			}
			told, lockedSince, w.stamps = now, time.Time{}, stamps
			if !w.Changed() {
				told = 0
			}
		}
	}
}

func orDefault(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

func (w *Watcher) cannot(err error) {
	if !w.deaf {
		w.deaf = true
		w.Log.Warn("the system does not tell of every change in the policy folder; it is looked at now and then", "every", w.Look, "error", err)
	}
}

// listen asks to be told of the folder, of those in it, of the one above it, where somebody may put another in its place, and of where a link leads.
func (w *Watcher) listen() {
	if w.notify == nil {
		return
	}
	add := func(name string) {
		if err := w.notify.Add(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.cannot(err)
		}
	}
	add(filepath.Dir(filepath.Clean(w.Folder)))
	real, err := filepath.EvalSymlinks(w.Folder)
	if err != nil {
		return // it is gone; the folder above tells when it is back
	}
	_ = filepath.WalkDir(real, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil //nolint:nilerr // what cannot be read now is looked at again
		}
		if strings.HasPrefix(d.Name(), ".") && name != real {
			return fs.SkipDir
		}
		add(name)
		return nil
	})
}

// stamp is what tells two states of a file apart without reading it.
type stamp struct {
	inode         uint64
	size, written int64
}

// inPlace reports whether some file is the same as when it was told last, and says something else: then it was not replaced by one that was whole from the beginning.
func (w *Watcher) inPlace(now map[string]stamp) bool {
	for name, is := range now {
		if was, ok := w.stamps[name]; ok && was.inode == is.inode && was != is {
			return true
		}
	}
	return false
}

// shape is a hash of which policy files there are, and of when each was written: as long as it is the same nobody has saved anything.
func (w *Watcher) shape() (uint64, map[string]stamp) {
	h, stamps := fnv.New64a(), map[string]stamp{}
	root, err := os.OpenRoot(w.Folder)
	if err != nil {
		return 0, stamps
	}
	defer func() { _ = root.Close() }()
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			fmt.Fprintf(h, "%s unreadable\n", name)
			return nil //nolint:nilerr // that it cannot be read is part of the shape
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != ".":
			return fs.SkipDir
		case !d.IsDir() && !Is(name):
			return nil
		}
		info, err := root.Stat(name)
		if err != nil {
			fmt.Fprintf(h, "%s unreadable\n", name)
			return nil //nolint:nilerr // likewise
		}
		// Who may write it is part of the shape: what was refused for that is read again when it is mended.
		owner, inode := uint32(0), uint64(0)
		if id, ok := ids(info); ok {
			owner, inode = id.Uid, id.Ino
		}
		if d.IsDir() {
			fmt.Fprintf(h, "%s %d %o\n", name, owner, info.Mode())
			return nil
		}
		stamps[name] = stamp{inode, info.Size(), info.ModTime().UnixNano()}
		fmt.Fprintf(h, "%s %d %d %d %d %o\n", name, info.Size(), info.ModTime().UnixNano(), inode, owner, info.Mode())
		return nil
	})
	return h.Sum64(), stamps
}

// lock is the file by which git says that it is changing the folder's files one after the other; "" when there is none.
func (w *Watcher) lock() string {
	at, err := filepath.EvalSymlinks(w.Folder)
	if err != nil {
		return ""
	}
	for {
		lock := filepath.Join(at, ".git", "index.lock")
		if _, err := os.Stat(lock); err == nil {
			return lock
		}
		up := filepath.Dir(at)
		if up == at {
			return ""
		}
		at = up
	}
}
