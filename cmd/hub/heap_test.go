package main

import "testing"

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		megabytes float64
		want      int
	}{
		{0, 800},
		{1, 800},
		{8, 300},
		{16, 100},
		{24, 50},
		{32, 50},
		{1000, 50},
	} {
		if got := gcPercent(uint64(c.megabytes * (1 << 20))); got != c.want {
			t.Errorf("%g MB in use: %d %%, want %d", c.megabytes, got, c.want)
		}
	}
}
