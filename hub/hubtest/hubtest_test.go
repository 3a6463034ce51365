package hubtest_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"tradehub/hub/hubtest"
)

var (
	seeds = flag.Uint64("seeds", 200, "how many seeds to play")
	first = flag.Uint64("seed", 1, "the first seed")
	moves = flag.Int("moves", 600, "how many moves a story has")
)

// TestSeeds plays the stories of many seeds. A failure prints its seed, the shortest story that fails alike, and how to repeat it.
func TestSeeds(t *testing.T) {
	for seed := *first; seed < *first+*seeds; seed++ {
		story := hubtest.Draw(seed, *moves)
		err := hubtest.Play(story)
		if err == nil {
			continue
		}
		short, why := hubtest.Shorten(story, err)
		var told strings.Builder
		_ = hubtest.Tell(short, func(line string) { fmt.Fprintln(&told, line) })
		t.Fatalf("seed %d: %v\n\nshortest story found, %d of %d moves: %v\n%s\n\nwhat happened:\n%s\nrepeat: go test ./hub/hubtest -run TestSeeds -args -seed=%d -seeds=1",
			seed, err, len(short), len(story), why, short, told.String(), seed)
	}
}
