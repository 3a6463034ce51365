package gateway

import (
	"fmt"
	"os"
	"time"

	"tradehub/hub"
	"tradehub/plugins"
	"tradehub/plugins/gateways/sim/listing"
	"tradehub/plugins/gateways/sim/venue"
)

// settings are what the configuration says, ready for use.
type settings struct {
	venue   venue.Settings
	speed   float64
	latency time.Duration
	fsync   bool
	start   hub.Time // 0: the machine's clock
	limits  []hub.MessageLimit
}

// Defaults of the settings; docs/sim.md explains them.
const (
	defaultSeed = 1
	defaultRoll = "18:00"
	speedMax    = 100_000
	latencyMax  = time.Minute
	ticksMax    = 100
)

func defaultCapital() map[string]hub.Decimal {
	return map[string]hub.Decimal{"CNY": hub.Int(1_000_000_000), "USDT": hub.Int(100_000_000)}
}

// read reads the settings; its error names everything that is wrong with them, and with the list of contracts.
func read(env plugins.Env) (settings, error) {
	s := env.Settings
	set := settings{
		venue: venue.Settings{
			Gateway: hub.GatewayName(env.Name), Seed: uint64(s.Int("seed", defaultSeed)), Background: s.Bool("background", true),
			Capital: capital(s),
		},
		latency: s.Duration("latency", 0),
		fsync:   s.Bool("fsync", false),
		speed:   between(s, "speed", 1, speedMax),
	}
	if set.latency < 0 || set.latency > latencyMax {
		s.Problem("latency", fmt.Sprintf("must be from 0s to %s", latencyMax))
	}
	perSecond := between(s, "ticks_per_second", 2, ticksMax)
	set.venue.Every = time.Duration(float64(time.Second) / perSecond)
	if text := s.String("start", ""); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			s.Problem("start", fmt.Sprintf("%q is no time such as 2026-11-20T21:00:00+08:00", text))
		}
		set.start = hub.TimeOf(at)
	}
	if text := s.String("messages", ""); text != "" {
		limit, err := hub.ParseMessageLimit(text)
		if err != nil {
			s.Problem("messages", fmt.Sprintf("%q: %s", text, err))
		}
		set.limits = []hub.MessageLimit{limit}
	}
	name, text := "contracts.yaml", listing.Default
	roll := s.String("day_roll", defaultRoll)
	if path := s.String("contracts", ""); path != "" {
		var err error
		if name = path; err == nil {
			text, err = os.ReadFile(path)
		}
		if err != nil {
			s.Problem("contracts", err.Error())
		}
	}
	if err := s.Err(); err != nil {
		return settings{}, err
	}
	list, err := listing.Read(name, text)
	if err != nil {
		return settings{}, err
	}
	set.venue.List = list
	if set.venue.Calendar, err = venue.ParseRoll(roll, list.Zone); err != nil {
		s.Problem("day_roll", err.Error())
	}
	return set, s.Err()
}

// between reads a number that is above 0 and at most high.
func between(s plugins.Settings, name string, def int64, high int64) float64 {
	d := s.Decimal(name, hub.Int(def))
	if !d.IsPos() || d.Cmp(hub.Int(high)) > 0 || d.Cmp(hub.MustDecimal("0.001")) < 0 {
		s.Problem(name, fmt.Sprintf("must be from 0.001 to %d", high))
		d = hub.Int(def)
	}
	f, _ := d.Float64()
	return f
}

func capital(s plugins.Settings) map[string]hub.Decimal {
	if !s.Has("capital") {
		return defaultCapital()
	}
	given := s.Map("capital")
	amounts := map[string]hub.Decimal{}
	for _, currency := range given.Keys() {
		amount := given.Decimal(currency, hub.Int(0))
		if amount.IsNeg() {
			given.Problem(currency, "must not be negative")
		}
		amounts[currency] = amount
	}
	return amounts
}
