package core

import (
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

// seriesMax bounds the memory of one series. What is older than the newest seriesMax events is forgotten, and a window that reaches back that far cannot be
// computed: so its rule refuses.
const seriesMax = 1 << 20

// series counts events over windows that end now. An event at time t is inside a window w at time now when t > now-w: of events exactly w apart, only one is inside.
// The core's time never runs backwards, so times are ascending; equal ones are all counted.
type series struct {
	Times  []hub.Time `cbor:"1,keyasint,omitempty"` // kept events, oldest first, from index start
	Today  int        `cbor:"2,keyasint,omitempty"`
	Forgot hub.Time   `cbor:"3,keyasint,omitempty"` // newest event that was forgotten for want of room

	start int    // Times[:start] is free
	heads []head // one for each window that was ever asked for
}

type head struct {
	window time.Duration
	at     int // index into Times of the oldest event inside
}

func (s *series) add(now hub.Time) {
	s.Today++
	s.Times = append(s.Times, now)
	if len(s.Times)-s.start > seriesMax {
		s.Forgot = s.Times[s.start]
		s.start++
	}
	s.forget(now)
	if s.start > 64 && s.start > len(s.Times)/2 {
		s.compact()
	}
}

// forget drops what no window can reach any more.
func (s *series) forget(now hub.Time) {
	for s.start < len(s.Times) && s.Times[s.start] <= now.Add(-policy.WindowMax) {
		s.start++
	}
}

func (s *series) compact() {
	n := copy(s.Times, s.Times[s.start:])
	s.Times = s.Times[:n]
	for i := range s.heads {
		s.heads[i].at = max(0, s.heads[i].at-s.start)
	}
	s.start = 0
}

// count returns how many events are inside the window; ok is false when that is not known. Amortised constant time: each window's head only moves forward.
func (s *series) count(now hub.Time, window time.Duration) (n int, ok bool) {
	if window == policy.Today {
		return s.Today, true
	}
	from := now.Add(-window)
	if s.Forgot != 0 && from < s.Forgot {
		return 0, false
	}
	i := slices.IndexFunc(s.heads, func(h head) bool { return h.window == window })
	if i < 0 {
		i = len(s.heads)
		s.heads = append(s.heads, head{window: window, at: s.start})
	}
	h := &s.heads[i]
	h.at = max(h.at, s.start)
	for h.at < len(s.Times) && s.Times[h.at] <= from {
		h.at++
	}
	return len(s.Times) - h.at, true
}

func (s *series) empty(now hub.Time) bool {
	return len(s.Times) == s.start || s.Times[len(s.Times)-1] <= now.Add(-policy.WindowMax)
}

func (s *series) image() series {
	return series{Times: slices.Clone(s.Times[s.start:]), Today: s.Today, Forgot: s.Forgot}
}

// repeatsMax bounds how many orders are remembered for the sake of duplicates, for one book.
const repeatsMax = 1 << 18

// likeness is what makes two orders duplicates of each other.
type likeness struct {
	Contract  key           `cbor:"1,keyasint"`
	Direction hub.Direction `cbor:"2,keyasint"`
	Offset    hub.Offset    `cbor:"3,keyasint"`
	Type      hub.OrderType `cbor:"4,keyasint"`
	Qty       hub.Decimal   `cbor:"5,keyasint"`
	Price     hub.Decimal   `cbor:"6,keyasint"`
}

type repeat struct {
	Time hub.Time `cbor:"1,keyasint"`
	Like likeness `cbor:"2,keyasint"`
}

// repeats counts orders that are alike. An hour of a busy trader is a hundred thousand orders, few of which differ: so each keeps a time and where its likes are counted, and only
// an image says of every one what it was like.
type repeats struct {
	Log    []repeat `cbor:"1,keyasint,omitempty"` // of an image
	Forgot hub.Time `cbor:"2,keyasint,omitempty"`

	log   []stamp // kept orders, oldest first, from index start
	start int
	byKey map[likeness]*alike
}

// stamp is an order that was like others.
type stamp struct {
	time hub.Time
	of   *alike
}

// alike are the orders of one likeness.
type alike struct {
	series
	like likeness
}

func (r *repeats) add(now hub.Time, like likeness) {
	if r.byKey == nil {
		r.byKey = map[likeness]*alike{}
	}
	r.forget(now)
	s := r.byKey[like]
	if s == nil {
		s = &alike{like: like}
		r.byKey[like] = s
	}
	r.log = append(r.log, stamp{now, s})
	s.add(now)
}

func (r *repeats) forget(now hub.Time) {
	for r.start < len(r.log) && (len(r.log)-r.start >= repeatsMax || r.log[r.start].time <= now.Add(-policy.WindowMax)) {
		old := r.log[r.start]
		if old.time > now.Add(-policy.WindowMax) {
			r.Forgot = old.time
		}
		r.log[r.start] = stamp{}
		r.start++
		if s := old.of; r.byKey[s.like] == s && (s.Times[len(s.Times)-1] <= old.time || s.empty(now)) {
			delete(r.byKey, s.like)
		}
	}
	if r.start > 64 && r.start > len(r.log)/2 {
		n := copy(r.log, r.log[r.start:])
		clear(r.log[n:])
		r.log = r.log[:n]
		r.start = 0
	}
}

func (r *repeats) count(now hub.Time, window time.Duration, like likeness) (n int, ok bool) {
	if window == policy.Today || r.Forgot != 0 && now.Add(-window) < r.Forgot {
		return 0, false // an order is remembered for an hour, not for a day
	}
	s := r.byKey[like]
	if s == nil {
		return 0, true
	}
	return s.count(now, window)
}

func (r *repeats) image() repeats {
	im := repeats{Log: slices.Grow([]repeat(nil), len(r.log)-r.start), Forgot: r.Forgot}
	for _, s := range r.log[r.start:] {
		im.Log = append(im.Log, repeat{s.time, s.of.like})
	}
	return im
}

// rebuild makes of an image what it is of.
func (r *repeats) rebuild() {
	log := r.Log
	r.Log, r.log, r.start, r.byKey = nil, nil, 0, nil
	for _, e := range log {
		r.add(e.Time, e.Like)
	}
}
