package account_test

import (
	"testing"

	"pgregory.net/rapid"

	"tradehub/hub"
	"tradehub/plugins/gateways/sim/account"
	"tradehub/plugins/gateways/sim/listing"
)

func list(t interface{ Fatal(...any) }) *listing.List {
	l, err := listing.Read("contracts.yaml", listing.Default)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func find(l *listing.List, text string) *listing.Contract {
	i, _ := hub.ParseInstrument(text)
	return l.Find(i)
}

// desk trades at once what it is asked to.
type desk struct {
	t *testing.T
	l *listing.List
	a *account.Account
}

func newDesk(t *testing.T, cny, usdt int64) *desk {
	d := &desk{t, list(t), account.New()}
	d.a.Deposit("CNY", hub.Int(cny))
	d.a.Deposit("USDT", hub.Int(usdt))
	return d
}

func (d *desk) order(contract string, direction hub.Direction, offset hub.Offset, qty, price string) account.Order {
	c := find(d.l, contract)
	steps, ok := c.Steps(hub.MustDecimal(qty))
	if !ok {
		d.t.Fatalf("%s of %s", qty, contract)
	}
	return account.Order{Contract: c, Direction: direction, Offset: offset, Steps: steps, Worst: hub.MustDecimal(price)}
}

func (d *desk) trade(contract string, direction hub.Direction, offset hub.Offset, qty, price string) {
	d.t.Helper()
	o := d.order(contract, direction, offset, qty, price)
	if reason := d.a.Check(o); reason != "" {
		d.t.Fatal(reason)
	}
	h := d.a.Take(o)
	d.a.Fill(&h, o.Worst, o.Steps, d.a.Commission(&h, o.Worst, o.Steps))
}

func (d *desk) refused(want, contract string, direction hub.Direction, offset hub.Offset, qty, price string) {
	d.t.Helper()
	if got := d.a.Check(d.order(contract, direction, offset, qty, price)); got != want {
		d.t.Errorf("got  %q\nwant %q", got, want)
	}
}

func (d *desk) money(currency, cash, margin, commission string) {
	d.t.Helper()
	m := d.a.Balances()[currency]
	for _, f := range []struct {
		name string
		got  hub.Decimal
		want string
	}{{"cash", m.Cash, cash}, {"margin", m.Margin, margin}, {"commission", m.Commission, commission}, {"frozen", m.Frozen, "0"}} {
		if !f.got.Equal(hub.MustDecimal(f.want)) {
			d.t.Errorf("%s %s: got %s, want %s", currency, f.name, f.got, f.want)
		}
	}
}

func TestFutureIsMargined(t *testing.T) {
	d := newDesk(t, 1_000_000, 0)
	d.trade("rb2701.SHFE", hub.Long, hub.Open, "10", "3100") // value 310,000, margin 9 %, fee 1/10,000
	d.money("CNY", "999969", "27900", "31")
	rb := find(d.l, "rb2701.SHFE")
	d.a.Mark(rb, hub.Int(3090))
	if got := d.a.Balances()["CNY"].Unrealised; !got.Equal(hub.Int(-1000)) {
		t.Errorf("unrealised: got %s, want -1000", got)
	}
	free, err := d.a.Balances()["CNY"].Available()
	if want := hub.Int(999969 - 27900 - 1000); err != nil || !free.Equal(want) {
		t.Errorf("available: got %s, want %s", free, want)
	}
	d.trade("rb2701.SHFE", hub.Short, hub.CloseToday, "4", "3150") // gain 2,000, fee 12.6
	d.money("CNY", "1001956.4", "16740", "43.6")
	d.trade("rb2701.SHFE", hub.Short, hub.CloseToday, "6", "3000") // loss 6,000, fee 18
	d.money("CNY", "995938.4", "0", "61.6")
	d.trade("rb2701.SHFE", hub.Short, hub.Open, "1", "3000") // and the other way round
	d.trade("rb2701.SHFE", hub.Long, hub.CloseToday, "1", "2900")
	d.money("CNY", "996932.5", "0", "67.5")
	if held := d.a.Positions(); len(held) != 0 {
		t.Errorf("still held: %+v", held)
	}
}

// The exchange of rb takes a plain close for yesterday's position; the one of i does not care, and takes yesterday's first.
func TestTodayAndYesterday(t *testing.T) {
	d := newDesk(t, 10_000_000, 0)
	d.trade("rb2701.SHFE", hub.Long, hub.Open, "5", "3100")
	d.refused("cannot close 1: 0 long of yesterday of rb2701.SHFE are held and not in other orders", "rb2701.SHFE", hub.Short, hub.Close, "1", "3100")
	d.refused("cannot close 6: 5 long of today of rb2701.SHFE are held and not in other orders", "rb2701.SHFE", hub.Short, hub.CloseToday, "6", "3100")
	d.refused("cannot close 1: 0 short of today of rb2701.SHFE are held and not in other orders", "rb2701.SHFE", hub.Long, hub.CloseToday, "1", "3100")
	d.trade("IF2612.CFFEX", hub.Short, hub.Open, "3", "4500")
	d.a.Roll()
	d.refused("cannot close 1: 0 long of today of rb2701.SHFE are held and not in other orders", "rb2701.SHFE", hub.Short, hub.CloseToday, "1", "3100")
	d.trade("rb2701.SHFE", hub.Short, hub.Close, "2", "3100")
	d.trade("rb2701.SHFE", hub.Short, hub.CloseYesterday, "3", "3100")
	d.trade("IF2612.CFFEX", hub.Short, hub.Open, "2", "4500")
	before := d.a.Balances()["CNY"].Commission
	d.trade("IF2612.CFFEX", hub.Long, hub.Close, "4", "4500") // 3 of yesterday at 0.000023, 1 of today at 0.00023
	var sum hub.Sum
	fee := sum.Sub(d.a.Balances()["CNY"].Commission, before)
	if want := hub.MustDecimal("403.65"); !fee.Equal(want) {
		t.Errorf("fee of closing both: got %s, want %s", fee, want)
	}
	d.refused("cannot close 2: 1 short of IF2612.CFFEX are held and not in other orders", "IF2612.CFFEX", hub.Long, hub.CloseYesterday, "2", "4500")
	d.trade("IF2612.CFFEX", hub.Long, hub.CloseToday, "1", "4500")
	if held := d.a.Positions(); len(held) != 0 {
		t.Errorf("still held: %+v", held)
	}
}

// What closes and is not filled yet cannot be closed twice.
func TestClosingOrdersFreeze(t *testing.T) {
	d := newDesk(t, 10_000_000, 0)
	d.trade("rb2701.SHFE", hub.Long, hub.Open, "5", "3100")
	h := d.a.Take(d.order("rb2701.SHFE", hub.Short, hub.CloseToday, "3", "3200"))
	d.refused("cannot close 3: 2 long of today of rb2701.SHFE are held and not in other orders", "rb2701.SHFE", hub.Short, hub.CloseToday, "3", "3200")
	d.a.Release(&h, 3)
	d.trade("rb2701.SHFE", hub.Short, hub.CloseToday, "5", "3200")
}

func TestSharesAreBoughtAndNeverShort(t *testing.T) {
	d := newDesk(t, 1_000_000, 0)
	d.refused("cannot close 100: 0 long of yesterday of 600519.SSE are held and not in other orders", "600519.SSE", hub.Short, hub.NoOffset, "100", "1400")
	d.refused("not enough money: the order needs 1400350 CNY and 1000000 are available", "600519.SSE", hub.Long, hub.NoOffset, "1000", "1400")
	d.trade("600519.SSE", hub.Long, hub.NoOffset, "500", "1400")
	d.money("CNY", "299825", "0", "175")
	d.refused("cannot close 100: 0 long of yesterday of 600519.SSE are held and not in other orders", "600519.SSE", hub.Short, hub.NoOffset, "100", "1500") // T+1
	d.a.Roll()
	d.trade("600519.SSE", hub.Short, hub.NoOffset, "500", "1500")
	d.money("CNY", "1049262.5", "0", "737.5")
}

func TestCoinsAndOptions(t *testing.T) {
	d := newDesk(t, 100_000, 100_000)
	d.trade("BTCUSDT.GLOBAL", hub.Long, hub.NoOffset, "0.5", "90000")
	d.money("USDT", "54955", "0", "45")
	d.trade("m2705-C-2900.DCE", hub.Long, hub.Open, "10", "100") // the premium is paid
	d.money("CNY", "89995", "0", "5")
	d.trade("m2705-C-2900.DCE", hub.Short, hub.Close, "10", "120")
	d.money("CNY", "101990", "0", "10")
	d.trade("m2705-C-2900.DCE", hub.Short, hub.Open, "10", "100") // the premium comes in, and margin is held
	d.money("CNY", "111985", "22000", "15")
	d.trade("m2705-C-2900.DCE", hub.Long, hub.Close, "10", "50")
	d.money("CNY", "106980", "0", "20")
	d.a = account.New()
	d.refused("the account has no USDT", "BTCUSDT.GLOBAL", hub.Long, hub.NoOffset, "0.5", "90000")
}

// Whatever is traded: nothing is held below zero, what is frozen is what works, and when everything is closed the cash is what was paid and received.
func TestAccountAddsUp(t *testing.T) {
	l := list(t)
	rapid.Check(t, func(t *rapid.T) {
		a := account.New()
		a.Deposit("CNY", hub.Int(50_000_000))
		c := find(l, rapid.SampledFrom([]string{"rb2701.SHFE", "IF2612.CFFEX", "600519.SSE", "m2705-C-2900.DCE"}).Draw(t, "contract"))
		offsets := []hub.Offset{hub.Open, hub.Close, hub.CloseToday, hub.CloseYesterday}
		var sum hub.Sum
		flow := hub.Int(0) // of money, from trading alone
		fill := func(h *account.Hold, price hub.Decimal, steps int64) {
			a.Fill(h, price, steps, a.Commission(h, price, steps))
			value := sum.Mul3(price, c.Qty(steps), c.Size)
			if h.Direction == hub.Long {
				value = value.Neg()
			}
			flow = sum.Add(flow, value)
		}
		var working []account.Hold
		var left []int64
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				if rapid.IntRange(0, 5).Draw(t, "roll") == 0 && len(working) == 0 {
					a.Roll()
				}
			case 1, 2:
				price := c.Price(rapid.Int64Range(100, 5000).Draw(t, "price"))
				o := account.Order{
					Contract: c, Direction: rapid.SampledFrom([]hub.Direction{hub.Long, hub.Short}).Draw(t, "side"),
					Offset: rapid.SampledFrom(offsets).Draw(t, "offset"), Steps: rapid.Int64Range(1, 30).Draw(t, "steps"), Worst: price,
				}
				if a.Check(o) == "" {
					working, left = append(working, a.Take(o)), append(left, o.Steps)
				}
			default:
				if len(working) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(working)-1).Draw(t, "i")
				steps := rapid.Int64Range(1, left[i]).Draw(t, "steps")
				if rapid.Bool().Draw(t, "cancel") {
					a.Release(&working[i], left[i])
					steps = left[i]
				} else {
					fill(&working[i], working[i].Worst, steps)
				}
				if left[i] -= steps; left[i] == 0 {
					working, left = append(working[:i], working[i+1:]...), append(left[:i], left[i+1:]...)
				}
			}
			for _, held := range a.Positions() {
				for _, h := range []account.Holding{held.Long, held.Short} {
					if h.Today < 0 || h.Yesterday < 0 || h.FrozenToday > h.Today || h.FrozenYesterday > h.Yesterday ||
						h.FrozenToday < 0 || h.FrozenYesterday < 0 || h.FrozenAny < 0 || h.FrozenAny > h.Qty() {
						t.Fatalf("%+v", held)
					}
				}
			}
		}
		for i := range working {
			a.Release(&working[i], left[i])
		}
		if m := a.Balances()["CNY"]; !m.Frozen.IsZero() {
			t.Fatalf("nothing works and %s is frozen", m.Frozen)
		}
		a.Roll()
		closeAll := func(d hub.Direction, steps int64) {
			if steps > 0 {
				h := a.Take(account.Order{Contract: c, Direction: d, Offset: hub.Close, Steps: steps, Worst: c.Price(777)})
				fill(&h, c.Price(777), steps)
			}
		}
		for _, held := range a.Positions() {
			closeAll(hub.Short, held.Long.Qty())
			closeAll(hub.Long, held.Short.Qty())
		}
		m := a.Balances()["CNY"]
		want := sum.Sub(sum.Add(hub.Int(50_000_000), flow), m.Commission)
		if !m.Margin.IsZero() || sum.Sub(m.Cash, want).Abs().Cmp(hub.MustDecimal("0.0001")) > 0 || sum.Err() != nil {
			t.Fatalf("cash %s, want %s; margin %s", m.Cash, want, m.Margin)
		}
	})
}
