package main

import (
	"math"
	"slices"
)

// quantile returns the value of rank ceil(q*n), the nearest rank, of samples that need not be sorted; NaN when there are none.
func quantile(samples []float64, q float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median returns the middle, or the mean of the two in the middle.
func median(samples []float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// point is a value at a time.
type point struct{ x, y float64 }

// slope returns how much y grows with x, by least squares; NaN for fewer than two different x.
func slope(points []point) float64 {
	n := float64(len(points))
	var sx, sy, sxx, sxy float64
	for _, p := range points {
		sx += p.x
		sy += p.y
	}
	for _, p := range points {
		dx := p.x - sx/n
		sxx += dx * dx
		sxy += dx * (p.y - sy/n)
	}
	if n < 2 || sxx == 0 {
		return math.NaN()
	}
	return sxy / sxx
}
