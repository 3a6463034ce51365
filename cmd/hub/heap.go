package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Go lets as much garbage gather as memory is in use. With the few megabytes that a hub needs in the morning that is a collection every few hundred orders, and with the many of an
// evening it is more memory than a machine that it shares with traders' programs should give. So garbage may fill the heap up to heapFloor, and be half of what is in use above it.
const (
	heapFloor   = 32 << 20
	heapPercent = 50
	// heapPercentMax is for a hub that has only just begun.
	heapPercentMax = 800
	// heapEvery is how often what is in use is looked at; heapStep is the difference, as a part, that is worth a change: a change stops all goroutines for a moment.
	heapEvery = 2 * time.Second
	heapStep  = 8
)

// gcPercent is how much garbage there may be, in percent of what is in use.
func gcPercent(inUse uint64) int {
	if inUse >= heapFloor {
		return heapPercent
	}
	percent := (heapFloor - inUse) * 100 / max(inUse, 1)
	return int(min(max(percent, heapPercent), heapPercentMax))
}

// paceHeap sets the collector's pace until ctx ends, unless the environment does.
func paceHeap(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ticker := time.NewTicker(heapEvery)
	defer ticker.Stop()
	for now := 0; ; {
		metrics.Read(sample)
		next := gcPercent(sample[0].Value.Uint64())
		if abs(next-now) > now/heapStep {
			debug.SetGCPercent(next)
			now = next
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func abs(n int) int { return max(n, -n) }
