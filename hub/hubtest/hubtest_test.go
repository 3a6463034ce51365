package hubtest_test

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tradehub/hub/hubtest"
)

var (
	seeds = flag.Uint64("seeds", 60, "how many seeds to play")
	first = flag.Uint64("seed", 1, "the first seed")
	moves = flag.Int("moves", 600, "how many moves a story has")
)

// TestSeeds plays the stories of many seeds, on every core. A failure prints its seed, the shortest story that fails alike, and how to repeat it.
func TestSeeds(t *testing.T) {
	var next, failed atomic.Uint64
	next.Store(*first)
	failed.Store(math.MaxUint64)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= *first+*seeds || seed > failed.Load() {
					return
				}
				if hubtest.Play(hubtest.Draw(seed, *moves)) != nil {
					lower(&failed, seed)
				}
			}
		})
	}
	group.Wait()
	if seed := failed.Load(); seed != math.MaxUint64 {
		tell(t, seed)
	}
}

// lower keeps the smaller of two numbers.
func lower(to *atomic.Uint64, n uint64) {
	for old := to.Load(); n < old && !to.CompareAndSwap(old, n); old = to.Load() {
	}
}

func tell(t *testing.T, seed uint64) {
	t.Helper()
	story := hubtest.Draw(seed, *moves)
	err := hubtest.Play(story)
	if err == nil {
		t.Fatalf("seed %d failed once, and not when it was played again", seed)
	}
	short, why := hubtest.Shorten(story, err)
	var told strings.Builder
	_ = hubtest.Tell(short, func(line string) { fmt.Fprintln(&told, line) })
	t.Fatalf("seed %d: %v\n\nshortest story found, %d of %d moves: %v\n%s\n\nwhat happened:\n%s\nrepeat: go test ./hub/hubtest -run TestSeeds -args -seed=%d -seeds=1",
		seed, err, len(short), len(story), why, short, told.String(), seed)
}
