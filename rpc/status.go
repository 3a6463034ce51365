package rpc

import (
	"sync"

	"tradehub/hub"
)

// Status is how a trader's line stands.
type Status struct {
	Trader hub.TraderName `json:"trader"`
	// Open is false when the service is stopped; all else is empty then.
	Open bool `json:"open"`
	// Request and Publish are the endpoints as bound.
	Request string `json:"request,omitempty"`
	Publish string `json:"publish,omitempty"`
	Version string `json:"version,omitempty"`
	// Clients have asked something by a connection that is up; Subscribers are subscribed. Slow are those of them that do not keep up.
	Clients     int `json:"clients"`
	Subscribers int `json:"subscribers"`
	Slow        int `json:"slow"`
	// Requests, Events and Ticks count since the start what was asked and published.
	Requests uint64 `json:"requests"`
	Events   uint64 `json:"events"`
	Ticks    uint64 `json:"ticks"`
	// TicksMerged gave way to newer ones; EventsMissed passed by a subscriber that did not read.
	TicksMerged  uint64 `json:"ticks_merged"`
	EventsMissed uint64 `json:"events_missed"`
}

// served is what a line has done. The owner counts.
type served struct{ requests, events, ticks, ticksMerged, eventsMissed uint64 }

// status is what others may see of a line.
type status struct {
	mu  sync.Mutex // guards all below
	now Status
}

// publishStatus shows others how the line stands.
func (l *line) publishStatus() {
	slow := 0
	for _, s := range l.delivery.subscribers {
		if s.behind {
			slow++
		}
	}
	l.status.mu.Lock()
	defer l.status.mu.Unlock()
	l.status.now = Status{
		Trader: l.trader.Name, Open: true, Request: l.boundRequest, Publish: l.boundPublish, Version: l.trader.Version,
		Clients: len(l.clients), Subscribers: len(l.delivery.subscribers), Slow: slow,
		Requests: l.served.requests, Events: l.served.events, Ticks: l.served.ticks,
		TicksMerged: l.served.ticksMerged, EventsMissed: l.served.eventsMissed,
	}
}

// Status returns how every trader's line stands, in the order of the configuration.
func (s *Server) Status() []Status {
	all := make([]Status, 0, len(s.traders))
	for _, t := range s.traders {
		l := t.line.Load()
		if l == nil {
			all = append(all, Status{Trader: t.Name, Version: t.Version})
			continue
		}
		l.status.mu.Lock()
		all = append(all, l.status.now)
		l.status.mu.Unlock()
	}
	return all
}
