package runner

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

func TestClockDoesNotJump(t *testing.T) {
	var out bytes.Buffer
	c := newSteadyClock(hclog.New(&hclog.LoggerOptions{Output: &out}))
	begin := c.start.Round(0)
	for _, step := range []struct {
		wall, elapsed, want time.Duration
	}{
		{1 * time.Second, 1 * time.Second, 1 * time.Second},
		{2*time.Second + 400*time.Millisecond, 2 * time.Second, 2*time.Second + 400*time.Millisecond}, // a correction
		{10 * 365 * 24 * time.Hour, 3 * time.Second, 3*time.Second + 400*time.Millisecond},            // ten years
		{-time.Hour, 4 * time.Second, 4*time.Second + 400*time.Millisecond},
		{5*time.Second + 400*time.Millisecond, 5 * time.Second, 5*time.Second + 400*time.Millisecond}, // as it was
	} {
		if got := c.believe(begin.Add(step.wall), step.elapsed).Sub(begin); got != step.want {
			t.Errorf("after %s, with a clock at %s: got %s, want %s", step.elapsed, step.wall, got, step.want)
		}
	}
	if n := strings.Count(out.String(), "the system's clock jumped"); n != 1 {
		t.Errorf("it was said %d times in a minute:\n%s", n, out.String())
	}
}
