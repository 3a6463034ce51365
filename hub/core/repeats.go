package core

import (
	"slices"
	"time"

	"tradehub/hub"
	"tradehub/hub/policy"
)

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

// repeats counts orders that are alike. An hour of a busy trader is a hundred thousand orders, few of which differ: so each keeps a time and where its likes are counted, and an
// image has every likeness once.
type repeats struct {
	Log    []repeat `cbor:"1,keyasint,omitempty"` // of an image from before there were Likes
	Forgot hub.Time `cbor:"2,keyasint,omitempty"`
	// Likes, Times and Of are of an image: what orders were like, in the order in which the first of each came; when each order came, after the one before; and its likeness.
	Likes []likeness `cbor:"70,keyasint,omitempty"`
	Times []int64    `cbor:"71,keyasint,omitempty"`
	Of    []int32    `cbor:"72,keyasint,omitempty"`

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
	window
	like likeness
}

func (r *repeats) add(now hub.Time, like likeness) {
	if r.byKey == nil {
		r.byKey = map[likeness]*alike{}
	}
	r.forget(now)
	s := r.byKey[like]
	if s == nil {
		s = &alike{window: window{of: tallyOrders, keep: policy.WindowMax}, like: like}
		r.byKey[like] = s
	}
	r.log = append(r.log, stamp{now, s})
	s.add(now, amount{})
}

func (r *repeats) forget(now hub.Time) {
	for r.start < len(r.log) && (len(r.log)-r.start >= repeatsMax || r.log[r.start].time <= now.Add(-policy.WindowMax)) {
		old := r.log[r.start]
		if old.time > now.Add(-policy.WindowMax) {
			r.Forgot = old.time
		}
		r.log[r.start] = stamp{}
		r.start++
		if s := old.of; r.byKey[s.like] == s && (s.times[len(s.times)-1] <= old.time || s.empty(now)) {
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

func (r *repeats) count(now hub.Time, d time.Duration, like likeness) (n int, ok bool) {
	if d == policy.Today || r.Forgot != 0 && now.Add(-d) < r.Forgot {
		return 0, false // an order is remembered for an hour, not for a day
	}
	s := r.byKey[like]
	if s == nil {
		return 0, true
	}
	first, known := s.first(now, d)
	if !known {
		i, _ := slices.BinarySearchFunc(s.heads, d, head.compare)
		s.heads = slices.Insert(s.heads, i, head{d, s.start})
		first, _ = s.first(now, d)
	}
	return len(s.times) - first, true
}

func (r *repeats) image() repeats {
	kept := r.log[r.start:]
	im := repeats{Forgot: r.Forgot}
	if len(kept) == 0 {
		return im
	}
	im.Times, im.Of = make([]int64, len(kept)), make([]int32, len(kept))
	index := map[*alike]int32{}
	last := hub.Time(0)
	for i, s := range kept {
		n, there := index[s.of]
		if !there {
			n = int32(len(im.Likes)) // at most repeatsMax
			index[s.of] = n
			im.Likes = append(im.Likes, s.of.like)
		}
		im.Times[i], im.Of[i] = int64(s.time-last), n
		last = s.time
	}
	return im
}

// rebuild makes of an image what it is of; false when it is not an image.
func (r *repeats) rebuild() bool {
	im := *r
	r.Log, r.Likes, r.Times, r.Of, r.log, r.start, r.byKey = nil, nil, nil, nil, nil, 0, nil
	for _, e := range im.Log {
		r.add(e.Time, e.Like)
	}
	if len(im.Times) != len(im.Of) {
		return false
	}
	last := hub.Time(0)
	for i, n := range im.Of {
		if n < 0 || int(n) >= len(im.Likes) {
			return false
		}
		last += hub.Time(im.Times[i])
		r.add(last, im.Likes[n])
	}
	return true
}
