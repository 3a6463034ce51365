package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is what a process writes, line by line, and a way to wait for one.
type lines struct {
	mu      sync.Mutex
	changed chan struct{} // closed, and replaced, with every line
	half    []byte
	all     []string
	ended   bool
	copyTo  *os.File // may be nil
}

func newLines(copyTo *os.File) *lines {
	return &lines{changed: make(chan struct{}), copyTo: copyTo}
}

// Write takes what the process writes.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.copyTo != nil {
		if _, err := l.copyTo.Write(p); err != nil {
			return 0, err
		}
	}
	l.half = append(l.half, p...)
	for {
		line, rest, ok := bytes.Cut(l.half, []byte{'\n'})
		if !ok {
			break
		}
		l.all = append(l.all, string(line))
		l.half = rest
	}
	l.wake()
	return len(p), nil
}

func (l *lines) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// end says that nothing more will come.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.half) > 0 {
		l.all = append(l.all, string(l.half))
		l.half = nil
	}
	l.ended = true
	l.wake()
}

// count is how many lines there are: a mark for await.
func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// since returns the lines after a mark.
func (l *lines) since(mark int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.all[mark:]...)
}

// find looks for a line after a mark that matches; when there is none, it tells whether none can come, and what is closed when one comes.
func (l *lines) find(mark int, match func(string) bool) (found, ended bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := mark; i < len(l.all); i++ {
		if match(l.all[i]) {
			return true, false, nil
		}
	}
	return false, l.ended, l.changed
}

// await waits for a line after a mark.
func (l *lines) await(ctx context.Context, mark int, match func(string) bool) error {
	for {
		found, ended, changed := l.find(mark, match)
		switch {
		case found:
			return nil
		case ended:
			return errors.New("the process ended")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// until asks again and again until the answer is nil; what it was last is the failure.
func until(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so within %s: %v", what, patience, err)
		}
		<-time.After(20 * time.Millisecond) // another process is asked; it cannot wake this one
	}
}

// has matches lines with all of these texts.
func has(texts ...string) func(string) bool {
	return func(line string) bool {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				return false
			}
		}
		return true
	}
}
