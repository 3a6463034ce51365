package main

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1) // descending: it need not be sorted
	}
	for _, c := range []struct {
		samples []float64
		q, want float64
	}{
		{hundred, .5, 50},
		{hundred, .99, 99},
		{hundred, 1, 100},
		{hundred, 0, 1},
		{[]float64{7}, .99, 7},
		{[]float64{1, 2}, .5, 1},
		{[]float64{1, 2}, .51, 2},
	} {
		if got := quantile(c.samples, c.q); got != c.want {
			t.Errorf("quantile(%d samples, %g) = %g, want %g", len(c.samples), c.q, got, c.want)
		}
	}
	if got := quantile(nil, .5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %g, want NaN", got)
	}
	if hundred[0] != 100 {
		t.Error("quantile sorted its argument")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		samples []float64
		want    float64
	}{
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{5}, 5},
	} {
		if got := median(c.samples); got != c.want {
			t.Errorf("median(%v) = %g, want %g", c.samples, got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %g, want NaN", got)
	}
}

func TestSlope(t *testing.T) {
	for _, c := range []struct {
		name   string
		points []point
		want   float64
	}{
		{"a line", []point{{0, 10}, {1, 12}, {2, 14}}, 2},
		{"flat", []point{{0, 5}, {1, 5}, {3, 5}}, 0},
		{"falling", []point{{2, 0}, {0, 1}}, -.5},
		{"least squares", []point{{0, 0}, {1, 1}, {2, 1}, {3, 2}}, .6},
	} {
		if got := slope(c.points); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: slope = %g, want %g", c.name, got, c.want)
		}
	}
	for name, points := range map[string][]point{"nothing": nil, "one point": {{1, 1}}, "one time": {{1, 1}, {1, 2}}} {
		if got := slope(points); !math.IsNaN(got) {
			t.Errorf("%s: slope = %g, want NaN", name, got)
		}
	}
}
