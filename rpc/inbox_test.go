package rpc

import (
	"fmt"
	"testing"

	"tradehub/hub"
	"tradehub/rpc/veighna"
)

func instrument(n int) hub.Instrument {
	return hub.Instrument{Symbol: fmt.Sprint("c", n), Exchange: "SHFE"}
}

// When there are too many ticks, the newest of each contract stay.
func TestTicksMerge(t *testing.T) {
	b := newInbox(&Limits{TicksWaiting: 6})
	for volume := range 9 {
		b.putTick(&tick{Tick: hub.Tick{Instrument: instrument(volume % 3), Volume: hub.Int(int64(volume))}})
	}
	var got batch
	b.take(&got)
	var volumes []string
	for _, x := range got.nextTicks(100) {
		volumes = append(volumes, x.Volume.String())
	}
	if want := "[3 4 5 6 7 8]"; fmt.Sprint(volumes) != want || got.ticksMerged != 3 {
		t.Errorf("ticks %v and %d merged, want %s and 3", volumes, got.ticksMerged, want)
	}
}

// With more contracts than there is room for, the oldest goes.
func TestTicksOfManyContracts(t *testing.T) {
	b := newInbox(&Limits{TicksWaiting: 4})
	for n := range 6 {
		b.putTick(&tick{Tick: hub.Tick{Instrument: instrument(n)}})
	}
	var got batch
	b.take(&got)
	if len(got.ticks) != 4 || got.ticks[0].Symbol != "c2" || got.ticksMerged != 2 {
		t.Errorf("%d ticks from %s on and %d merged, want 4 from c2 on and 2", len(got.ticks), got.ticks[0].Symbol, got.ticksMerged)
	}
}

// When there are too many events, those that come are counted; nothing that waits is thrown away for them.
func TestEventsAreCounted(t *testing.T) {
	b := newInbox(&Limits{EventsWaiting: 3})
	var made []int
	for n := range 5 {
		b.putEvent(func() veighna.Publication {
			made = append(made, n)
			return veighna.Publication{}
		})
	}
	var got batch
	b.take(&got)
	for _, e := range got.nextEvents(2) {
		e.encode()
	}
	b.putEvent(func() veighna.Publication { return veighna.Publication{} })
	lost := got.eventsLost
	b.take(&got) // does not fetch before the first are done
	for _, e := range got.nextEvents(2) {
		e.encode()
	}
	if want := "[0 1 2]"; fmt.Sprint(made) != want || lost != 2 {
		t.Errorf("events %v and %d lost, want %s and 2", made, lost, want)
	}
	b.take(&got)
	if len(got.nextEvents(9)) != 1 {
		t.Error("the event that came later is not there")
	}
	b.close()
	b.putEvent(nil)
	b.putTick(&tick{})
	b.take(&got)
	if len(got.events)+len(got.ticks) != 0 {
		t.Error("a closed inbox takes events")
	}
}

// A pool runs so many, lets so many wait, and refuses the rest.
func TestPool(t *testing.T) {
	p := pool{max: 2, waitingMax: 1}
	var ran []int
	for n := range 4 {
		if ok := p.start(func() { ran = append(ran, n) }); ok != (n < 3) {
			t.Errorf("start %d: %v", n, ok)
		}
	}
	if fmt.Sprint(ran) != "[0 1]" {
		t.Errorf("%v run at once, want [0 1]", ran)
	}
	p.done()
	p.done()
	p.done()
	if fmt.Sprint(ran) != "[0 1 2]" || p.running != 0 {
		t.Errorf("%v ran and %d run, want [0 1 2] and 0", ran, p.running)
	}
}
