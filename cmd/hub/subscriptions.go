package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
)

// subscriptionsMax is how many contracts of one trader are remembered.
const subscriptionsMax = 20_000

// subscriptions remembers which ticks a trader asked for. A stock VeighNa asks once, when its user does; after a restart of the hub it believes that it still gets them.
// They are no part of the journal, for nothing depends on them but ticks, so a file that is one write behind is good enough.
type subscriptions struct {
	file string
	log  hclog.Logger
	news chan struct{} // holds one: there is something to write
	wait sync.WaitGroup

	mu     sync.Mutex
	closed bool
	of     map[hub.TraderName]map[string]bool // by vt_symbol
}

func openSubscriptions(file string, log hclog.Logger) (*subscriptions, error) {
	s := &subscriptions{file: file, log: log, news: make(chan struct{}, 1), of: map[hub.TraderName]map[string]bool{}}
	saved := map[hub.TraderName][]string{}
	switch content, err := os.ReadFile(file); {
	case isMissing(err):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(content, &saved); err != nil {
			log.Warn("not readable; traders have to subscribe again", "file", file, "error", err)
		}
	}
	for trader, all := range saved {
		s.of[trader] = map[string]bool{}
		for _, i := range all {
			s.of[trader][i] = true
		}
	}
	s.wait.Go(s.write)
	return s, nil
}

// add remembers one.
func (s *subscriptions) add(t hub.TraderName, i hub.Instrument) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	known := s.of[t]
	if known == nil {
		known = map[string]bool{}
		s.of[t] = known
	}
	if known[i.String()] || len(known) >= subscriptionsMax {
		return
	}
	known[i.String()] = true
	select {
	case s.news <- struct{}{}:
	default: // it will be written with what is
	}
}

// each visits all, in order.
func (s *subscriptions) each(visit func(hub.TraderName, hub.Instrument)) {
	for trader, all := range s.list() {
		for _, text := range all {
			if i, ok := hub.ParseInstrument(text); ok {
				visit(trader, i)
			}
		}
	}
}

func (s *subscriptions) list() map[hub.TraderName][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[hub.TraderName][]string{}
	for trader, all := range s.of {
		out[trader] = slices.Sorted(maps.Keys(all))
	}
	return out
}

// write writes whenever there is news, until close.
func (s *subscriptions) write() {
	for range s.news {
		if err := s.save(); err != nil {
			s.log.Warn("not saved; after a restart traders may have to subscribe again", "error", err)
		}
	}
}

// save replaces the file whole.
func (s *subscriptions) save() error {
	content, err := json.MarshalIndent(s.list(), "", "  ")
	if err != nil {
		return err
	}
	next := s.file + ".new"
	if err := os.WriteFile(next, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("subscriptions: %w", err)
	}
	return os.Rename(next, s.file)
}

// close writes what is left; nothing is remembered after it.
func (s *subscriptions) close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.news)
	}
	s.mu.Unlock()
	s.wait.Wait()
}

// restoreSubscriptions asks for the ticks of the last run again, of as many contracts as are known by now.
func (h *house) restoreSubscriptions() {
	h.subscriptions.each(func(t hub.TraderName, i hub.Instrument) {
		if err := h.runner.Subscribe("", i); err == nil {
			h.rpc.Subscribe(t, i)
		}
	})
}
