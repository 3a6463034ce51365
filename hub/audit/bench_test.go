package audit_test

import (
	"testing"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/codec"
	"tradehub/hub/core"
)

// decision is the entry of an order and what came of it, as the runner hands it over.
func decision(b *testing.B) (hub.Entry, []byte, []core.Effect) {
	b.Helper()
	journal := story(b, 1)
	c := core.New()
	for _, data := range journal {
		e, err := codec.Decode(data)
		if err != nil {
			b.Fatal(err)
		}
		e.Seq = c.Seq() + 1
		effects := c.Step(e)
		for _, effect := range effects {
			if d, ok := effect.(core.Decided); ok && d.Considered.Asked {
				return e, data, effects
			}
		}
	}
	b.Fatal("no decision")
	return hub.Entry{}, nil, nil
}

// BenchmarkTake is what an order's decision costs those who wait for it: the copy that is queued.
func BenchmarkTake(b *testing.B) {
	e, data, effects := decision(b)
	r := open(b, b.TempDir(), nil)
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		e.Seq = seq
		r.Take(e, data, effects) // before CaughtUp it waits for room, so this is the writer's speed in the long run
	}
	b.StopTimer()
	finish(b, r, int(seq))
}

// BenchmarkTakeAlone is BenchmarkTake without the writer.
func BenchmarkTakeAlone(b *testing.B) {
	e, data, effects := decision(b)
	r := open(b, b.TempDir(), func(o *audit.Options) { o.QueueEntries, o.QueueBytes = 1<<40, 1<<50 })
	resume := r.Stall()
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		e.Seq = seq
		r.Take(e, data, effects)
	}
	b.StopTimer()
	resume()
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}
