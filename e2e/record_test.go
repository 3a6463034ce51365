package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradehub/hub"
	"tradehub/hub/audit"
	"tradehub/hub/ctl"
	"tradehub/rpc/veighna"
)

// TestRecord: an order is explained by the rules and values that decided it after a kill -9 and two changes of the policies; a rollback outlives a kill; and nobody has changed the record.
func TestRecord(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(crashConfig, "SEED", "5", "ROLL", farRoll()), crashPolicies)
	tr := newTrader(h, "alpha", 0, 5)
	tr.connect()
	t.Cleanup(tr.disconnect)
	r := hub.OrderRequest{Instrument: tr.tickNow().Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(51), Price: tr.tickNow().Asks[0].Price}
	tr.send(r)
	tr.quiet()
	id := asked[[]ctl.Order](h, "orders", "--all", "--trader", "alpha")[0].ID
	before := explained(h, id)
	if len(before.Decisions) != 1 || before.Decisions[0].Decision.Outcome != "refused" {
		t.Fatalf("explained %+v", before)
	}
	first := asked[ctl.Status](h, "status").Revision

	h.edit("traders/alpha.yaml", "order.quantity <= 50", "order.quantity <= 60")
	second := h.revisionAfter(first)
	h.kill()
	h.start()
	h.edit("traders/alpha.yaml", "order.quantity <= 60", "order.quantity <= 70")
	last := h.revisionAfter(second)

	after := explained(h, id)
	if d := after.Decisions[0]; len(d.Notes) > 0 || d.Policy == nil || d.Policy.Revision != first || len(d.Rules) != len(before.Decisions[0].Rules) {
		t.Errorf("explained %+v", d)
	}
	said := h.operated("explain", id)
	for _, want := range []string{"refused by revision " + first, "51 lots in one order", "require  order.quantity <= 50", "order.quantity=51", "what the hub itself asks", "rules of the fund", "fund.yaml:5 market", "margin"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}

	if back := command(t, "policy", "rollback", first[:8], "--data", h.data); back.code != 0 || !strings.Contains(back.stdout, "revision "+first+" in force") || !strings.Contains(back.stdout, "still says "+last) {
		t.Errorf("rollback: %+v", back)
	}
	h.kill()
	h.start()
	if s := asked[ctl.Status](h, "status"); s.Revision != first {
		t.Errorf("after a restart revision %s is in force, want the one that was rolled back to, %s", s.Revision, first)
	}
	var log []ctl.Loaded
	if text := command(t, "policy", "log", "--data", h.data, "--json").stdout; json.Unmarshal([]byte(text), &log) != nil {
		t.Fatal(text)
	}
	if len(log) != 4 || log[3].Instead != last || log[3].Revision != first || log[3].By == "" {
		t.Errorf("the log of policies is %+v", log)
	}
	h.stop()
	verified := command(t, "audit", "verify", "--data", h.data, "--json")
	var v audit.Verified
	if err := json.Unmarshal([]byte(verified.stdout), &v); err != nil || verified.code != 0 || len(v.Errors)+len(v.Gaps) > 0 || v.Rows < 10 {
		t.Errorf("verify: %+v, %v", verified, err)
	}
	if offline := command(t, "audit", "explain", id, "--data", h.data); offline.code != 0 || !strings.Contains(offline.stdout, "51 lots in one order") {
		t.Errorf("explained without the hub: %+v", offline)
	}
}

// TestDamagedRecord: the hub starts with a record that cannot be read, for there is an order at the venue. It takes no new ones and says why; the order can be cancelled. A second hub, started on
// the same directory by mistake, leaves the record alone. When the damaged one is moved away, all goes on, and the new record has all of the journal.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	h := serve(t, replaced(crashConfig, "SEED", "6", "ROLL", farRoll()), crashPolicies)
	tr := newTrader(h, "alpha", 0, 6)
	tr.connect()
	tick := tr.tickNow()
	r := hub.OrderRequest{Instrument: tick.Instrument, Direction: hub.Long, Offset: hub.Open, Type: hub.Limit, Qty: hub.Int(1), Price: tick.LimitDown}
	tr.send(r)
	tr.quiet()
	order := func() ctl.Order { return asked[[]ctl.Order](h, "orders", "--all", "--trader", "alpha")[0] }
	if o := order(); o.Status != "RESTING" {
		t.Fatalf("order %+v", o)
	}
	tr.disconnect()
	h.stop()
	record := filepath.Join(h.data, "record")
	junk := []byte(strings.Repeat("no record ", 20))
	if err := os.WriteFile(filepath.Join(record, audit.FileName), junk, 0o600); err != nil {
		t.Fatal(err)
	}

	h.start()
	if s := asked[ctl.Status](h, "status"); s.Refusing != "the permanent record cannot be used: no new orders" {
		t.Errorf("refusing for %q", s.Refusing)
	}
	if said := h.operated("alerts"); !strings.Contains(said, "no new orders until the hub is started again, cancels pass: the record is damaged") || !strings.Contains(said, "move "+record+" away") {
		t.Errorf("alerts:\n%s", said)
	}
	until(t, "the gateway is up again", func() error {
		if o := order(); o.InDoubt {
			return fmt.Errorf("order %+v", o)
		}
		return nil
	})
	tr.connect()
	tr.ask(veighna.CancelOrder{CancelRequest: hub.CancelRequest{Instrument: r.Instrument, OrderID: hub.OrderID(order().ID)}, Gateway: gatewayName}, nil)
	until(t, "the order is cancelled", func() error {
		if o := order(); o.Status != "CANCELLED" {
			return fmt.Errorf("order %+v", o)
		}
		return nil
	})
	tr.disconnect()
	if second := command(t, h.args...); second.code != 1 || !strings.Contains(second.stderr, "another hub runs on") || strings.Contains(second.stderr, "record") {
		t.Errorf("a second hub: %+v", second)
	}
	h.stop()
	if b, err := os.ReadFile(filepath.Join(record, audit.FileName)); err != nil || string(b) != string(junk) {
		t.Errorf("the damaged record is not as it was: %v", err)
	}

	if err := os.Rename(record, record+"-damaged"); err != nil {
		t.Fatal(err)
	}
	h.start()
	if s := asked[ctl.Status](h, "status"); s.Refusing != "" {
		t.Errorf("refusing for %q", s.Refusing)
	}
	h.recordAgrees()
}

// revisionAfter waits until another revision is in force, and says which.
func (h *house) revisionAfter(before string) (now string) {
	h.t.Helper()
	until(h.t, "another revision than "+before+" is in force", func() error {
		s, err := h.status()
		if now = s.Revision; err == nil && now == before {
			err = errors.New("it is the one from before")
		}
		return err
	})
	return now
}

func explained(h *house, id string) audit.Explanation {
	return asked[audit.Explanation](h, "explain", id)
}

// recordAgrees sees that the record, which lived through everything that the hub did, is whole and nobody changed it, and that every order is in it as the hub has it, with all its fills once.
func (h *house) recordAgrees() {
	h.t.Helper()
	orders, trades := asked[[]ctl.Order](h, "orders", "--all"), asked[[]ctl.Trade](h, "trades")
	agree := func() error {
		r, err := audit.Read(filepath.Join(h.data, "record"))
		if err != nil {
			return err
		}
		defer r.Close()
		v, err := r.Verify(h.t.Context(), nil)
		if err != nil || len(v.Errors)+len(v.Gaps) > 0 {
			return fmt.Errorf("verify: %v %v: %w", v.Errors, v.Gaps, err)
		}
		last, fills := map[string]audit.Change{}, map[string]int{}
		err = r.Each(h.t.Context(), audit.Filter{}, func(row audit.Row) error {
			body, err := audit.DecodeBody(row.Body)
			if body.Change != nil {
				last[string(row.Order)] = *body.Change
			}
			for _, f := range body.Fills {
				fills[f.ID]++
			}
			return err
		})
		for _, o := range orders {
			if c := last[o.ID]; err == nil && (c.Status != o.Status || !c.Filled.Equal(o.Filled) || c.InDoubt != o.InDoubt) {
				err = fmt.Errorf("order %s is %+v in the record, and %s with %s filled in the hub", o.ID, c, o.Status, o.Filled)
			}
		}
		for _, trade := range trades {
			if err == nil && fills[trade.ID] != 1 {
				err = fmt.Errorf("fill %s is %d times in the record", trade.ID, fills[trade.ID])
			}
		}
		return err
	}
	until(h.t, "the record agrees with the hub", agree) // it is written a moment later
}
