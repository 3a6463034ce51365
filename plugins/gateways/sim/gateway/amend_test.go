package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"tradehub/hub"
)

func amendment(id string, number uint64, qty, price int64) hub.Order {
	return hub.Order{ID: hub.OrderID(id), Amendment: hub.Amendment{Number: number, Qty: hub.Int(qty), Price: hub.Int(price)}}
}

// TestAmendedOrdersOutliveTheProcess: what an order is for, and its place in the queue, are in the snapshot and in the book of record.
func TestAmendedOrdersOutliveTheProcess(t *testing.T) {
	for _, without := range []string{"", "state.json"} {
		dir := t.TempDir()
		g, s := start(t, dir, quiet(nil))
		g.Submit(order("a1", hub.Long, 5, 3100))
		g.Submit(order("a2", hub.Long, 5, 3100))
		g.Amend(amendment("a1", 1, 6, 3100)) // behind a2
		g.Amend(amendment("a2", 1, 4, 3100)) // keeps its place
		told := s.wait(t, 4)
		want := hub.VenueReport{Gateway: "SIM", OrderID: "a1", VenueID: told[0].VenueID, Kind: hub.ReportAmended, Amendment: 1, Qty: hub.Int(6), Price: hub.Int(3100), VenueTime: told[2].VenueTime}
		if told[2] != want {
			t.Errorf("got %+v, want %+v", told[2], want)
		}
		end(t, g)
		if without != "" {
			if err := os.Remove(filepath.Join(dir, without)); err != nil {
				t.Fatal(err)
			}
		}
		g, s = start(t, dir, quiet(nil))
		known, complete, err := g.Ask(t.Context(), []hub.OrderID{"a1", "a2"})
		if err != nil || !complete || len(known) != 2 || !known[0].Qty.Equal(hub.Int(6)) || !known[1].Qty.Equal(hub.Int(4)) || !known[0].Price.Equal(hub.Int(3100)) {
			t.Errorf("without %q: %+v, %v, %v", without, known, complete, err)
		}
		g.Submit(order("b1", hub.Short, 5, 3100))
		told = s.wait(t, 5)
		if told[0].OrderID != "a2" || !told[0].Qty.Equal(hub.Int(4)) || told[3].OrderID != "a1" || !told[3].Qty.Equal(hub.Int(1)) {
			t.Errorf("without %q: %+v", without, told)
		}
		end(t, g)
	}
}

// TestAmendOfWhatIsNotThere is refused, with its number.
func TestAmendOfWhatIsNotThere(t *testing.T) {
	g, s := start(t, t.TempDir(), quiet(nil))
	defer end(t, g)
	g.Amend(amendment("x1", 3, 5, 3100))
	if told := s.wait(t, 1); told[0].Kind != hub.ReportAmendRejected || told[0].Amendment != 3 || told[0].Reason != "no such order at this market" {
		t.Errorf("%+v", told)
	}
}
