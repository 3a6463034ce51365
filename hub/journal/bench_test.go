package journal_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tradehub/hub/journal"
)

const benchEntry = 256 // bytes

// sink is a machine that only tells when a number of entries has been applied.
type sink struct {
	seen    int
	reached chan struct{}
}

func (s *sink) Apply(batch []journal.Entry) {
	s.seen += len(batch)
	s.reached <- struct{}{}
}

func (s *sink) Snapshot() (io.WriterTo, error)      { return strings.NewReader(""), nil }
func (s *sink) Restore(_ uint64, _ io.Reader) error { return nil }

// percentiles reports the times as p50-µs and p99-µs.
func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(p int) float64 { return float64(times[(len(times)-1)*p/100].Nanoseconds()) / 1e3 }
	b.ReportMetric(at(50), "p50-µs")
	b.ReportMetric(at(99), "p99-µs")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFloor is a bare write and fsync of one entry into a file that was
// allocated, which is the least that one entry can cost.
func BenchmarkFloor(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(make([]byte, 16<<20)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	entry := make([]byte, benchEntry)
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := f.WriteAt(entry, int64(len(times)*benchEntry%(16<<20))); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	percentiles(b, times)
}

// BenchmarkOne is the time from Propose to Apply of one entry at a time.
func BenchmarkOne(b *testing.B) {
	m := &sink{reached: make(chan struct{}, 1)}
	j := mustLead(b, journal.Options{Dir: b.TempDir(), Machine: m})
	entry := make([]byte, benchEntry)
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := j.Propose(entry); err != nil {
			b.Fatal(err)
		}
		<-m.reached
		times = append(times, time.Since(start))
	}
	percentiles(b, times)
}

// BenchmarkPipelined is one goroutine that proposes as fast as it is let.
func BenchmarkPipelined(b *testing.B) {
	m := &sink{reached: make(chan struct{}, 1<<16)}
	j := mustLead(b, journal.Options{Dir: b.TempDir(), Machine: m})
	entry := make([]byte, benchEntry)
	b.ReportAllocs()
	proposed := 0
	start := time.Now()
	for b.Loop() {
		for {
			_, err := j.Propose(entry)
			if err == nil {
				break
			}
			<-m.reached
		}
		proposed++
	}
	mustClose(b, j) // waits for what is in flight
	if m.seen != proposed {
		b.Fatalf("%d applied of %d", m.seen, proposed)
	}
	b.ReportMetric(float64(proposed)/time.Since(start).Seconds(), "entries/s")
}

// BenchmarkOpen is a start with 100,000 entries to replay, to the lead.
func BenchmarkOpen(b *testing.B) {
	for name, n := range map[string]int{"empty": 0, "100000": 100_000} {
		b.Run(name, func(b *testing.B) {
			m := &sink{reached: make(chan struct{}, 1<<20)}
			o := journal.Options{Dir: b.TempDir(), Machine: m, SnapshotEntries: 1 << 40}
			j := mustLead(b, o)
			for i := 0; i < n; {
				if _, err := j.Propose(make([]byte, benchEntry)); err != nil {
					<-m.reached
					continue
				}
				i++
			}
			mustClose(b, j)
			for b.Loop() {
				o.Machine = &sink{reached: make(chan struct{}, 1<<20)}
				mustClose(b, mustLead(b, o))
			}
		})
	}
}
