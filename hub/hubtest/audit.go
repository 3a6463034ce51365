package hubtest

import (
	"fmt"
	"math/big"
	"strings"

	"tradehub/hub"
)

// auditEvery is how many moves there are between two audits: the ledger counts every book from its first line.
const auditEvery = 40

// audit holds every figure of every book of the hub against the ledger's, whether or not a rule has asked for it.
func (w *World) audit() error {
	l := w.ledger
	books := l.books()
	for owner, a := range books {
		name := string(owner)
		if owner == "" {
			name = "the fund"
		}
		got, _ := w.core.Account(owner)
		f, known := w.core.Figures(owner)
		if !known {
			continue
		}
		profit, held := a.profit(), add(a.positionMargin(), a.heldByOrders())
		for _, x := range []struct {
			what string
			got  hub.Decimal
			want *big.Rat
		}{
			{"capital", got.Capital, a.capital()},
			{"equity", got.Balance, add(a.capital(), profit)},
			{"frozen", got.Frozen, held},
			{"available", got.Available, sub(add(a.capital(), profit), held)},
			{"realised", got.Realised, a.realised},
			{"unrealised", got.Unrealised, a.unrealised()},
			{"commission", got.Commission, a.commission},
			{"cash", got.Cash, sub(add(a.capital(), a.cash), a.commission)},
			{"equity when the day began", f.EquityStart, add(a.capital(), a.dayStart)},
			{"day's profit", f.DayPnL, sub(profit, a.dayStart)},
			{"day's realised", f.DayRealised, sub(a.realised, a.realisedAt)},
			{"peak", f.Peak, add(a.capital(), a.peak)},
			{"peak of the day", f.PeakDay, add(a.capital(), a.peakDay)},
			{"losses in a row", hub.Int(int64(f.Losses)), big.NewRat(a.losses, 1)},
			{"margin of positions", f.MarginPositions, a.positionMargin()},
		} {
			if owner == hub.Unassigned && strings.HasPrefix(x.what, "peak") {
				continue // nobody's has none
			}
			if exact(x.got).Cmp(x.want) != 0 {
				return fmt.Errorf("books otherwise: %s of %s is %s, and the ledger has %s", x.what, name, x.got, x.want.FloatString(8))
			}
		}
		for _, c := range contracts {
			if err := w.auditPosition(owner, a.look(c.Instrument), c); err != nil {
				return fmt.Errorf("books otherwise: %s's %s: %w", name, c.Instrument, err)
			}
		}
	}
	return nil
}

func (w *World) auditPosition(owner hub.TraderName, h *held, c hub.Contract) error {
	for _, p := range w.core.Positions(owner, c.Instrument) {
		today, yesterday := sub(h.long.today, h.short.today), sub(h.long.yesterday, h.short.yesterday)
		if p.Direction != hub.Net {
			today, yesterday = h.side(p.Direction).today, h.side(p.Direction).yesterday
		}
		if exact(p.Today).Cmp(today) != 0 || exact(p.Yesterday).Cmp(yesterday) != 0 {
			return fmt.Errorf("%s is %s of today and %s of yesterday, and the ledger has %s and %s", p.Direction, p.Today, p.Yesterday, today.RatString(), yesterday.RatString())
		}
	}
	return nil
}

// heldByOrders is the margin that the book's working orders hold.
func (a *account) heldByOrders() *big.Rat {
	sum := zero()
	for _, o := range a.working() {
		c := a.ledger.contracts[o.Instrument]
		if !o.Offset.Closes() && (!c.NetPosition || o.Direction == hub.Long || !c.MarginLong.IsZero()) {
			sum = add(sum, marginOf(c, o.Direction, a.workingValue(o)))
		}
	}
	return sum
}
