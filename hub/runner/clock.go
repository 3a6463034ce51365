package runner

import (
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// clockStep is how far the system's clock may move at once. Beyond it the hub goes on by its own count and says so: one wrong reading, ten years ahead, would make every later
// price look old and every trading day over.
const clockStep = time.Second

// steadyClock is the system's clock without its jumps. Small corrections are followed.
type steadyClock struct {
	log   hclog.Logger
	start time.Time // with its monotonic reading

	mu     sync.Mutex
	offset time.Duration // of the system's clock from start + elapsed, as last believed
	said   time.Time
}

func newSteadyClock(log hclog.Logger) *steadyClock { return &steadyClock{log: log, start: time.Now()} }

func (c *steadyClock) now() time.Time {
	read := time.Now()
	return c.believe(read.Round(0), read.Sub(c.start))
}

// believe returns the time, of a reading of the system's clock and the time that passed since the start.
func (c *steadyClock) believe(wall time.Time, elapsed time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	counted := c.start.Round(0).Add(elapsed)
	offset := wall.Sub(counted)
	if step := offset - c.offset; step.Abs() <= clockStep {
		c.offset = offset
	} else if now := counted.Add(c.offset); now.Sub(c.said) >= time.Minute {
		c.said = now
		c.log.Error("the system's clock jumped; the hub goes on by its own count until it is started again", "jump", step.Round(time.Second))
	}
	return counted.Add(c.offset)
}
