package core

import (
	"fmt"
	"testing"
	"time"

	"tradehub/hub"
)

// TestRepeatsOfAnImage shows that an image has every likeness once, and that what is made of it counts as before.
func TestRepeatsOfAnImage(t *testing.T) {
	likeOf := func(n int) likeness {
		return likeness{Contract: key{"SIM", hub.Instrument{Symbol: fmt.Sprint("rb", n), Exchange: "SHFE"}}, Direction: hub.Long, Qty: hub.Int(1), Price: hub.Int(3500)}
	}
	var r repeats
	now := hub.Time(1_000_000_000_000)
	for i := range 1000 {
		now = now.Add(time.Duration(i%7) * time.Second)
		r.add(now, likeOf(i*i%11))
	}
	im := r.image()
	if len(im.Likes) > 11 || len(im.Times) == 0 || len(im.Times) != len(im.Of) {
		t.Fatalf("%d likenesses of 11, %d times, %d orders", len(im.Likes), len(im.Times), len(im.Of))
	}
	if !im.rebuild() {
		t.Fatal("the image is not one")
	}
	for n := range 12 {
		for _, window := range []time.Duration{time.Second, time.Minute, time.Hour} {
			want, _ := r.count(now, window, likeOf(n))
			if got, ok := im.count(now, window, likeOf(n)); got != want || !ok {
				t.Errorf("%d within %s: got %d, %v, want %d", n, window, got, ok, want)
			}
		}
	}
	for name, broken := range map[string]repeats{
		"lengths":  {Times: []int64{1}, Likes: []likeness{likeOf(1)}},
		"no such":  {Times: []int64{1}, Of: []int32{1}, Likes: []likeness{likeOf(1)}},
		"negative": {Times: []int64{1}, Of: []int32{-1}, Likes: []likeness{likeOf(1)}},
	} {
		if broken.rebuild() {
			t.Errorf("%s: taken for an image", name)
		}
	}
}
