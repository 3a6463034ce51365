package calendar

import (
	"fmt"
	"time"

	"tradehub/hub"
)

// Delivery is the month of delivery that the symbol of a Chinese futures or options contract names, such as "202701": rb2701, TA701, m2705-C-3000. A year of one digit is the
// one within five years of the day. false: it names none.
func Delivery(k hub.Contract, day time.Time) (string, bool) {
	if k.Kind != hub.Futures && k.Kind != hub.Option {
		return "", false
	}
	rest := k.Symbol[len(letters(k.Symbol)):]
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	number := 0
	for _, digit := range []byte(rest[:min(n, 4)]) {
		number = number*10 + int(digit-'0')
	}
	year, month := number/100, number%100
	if len(rest) == len(k.Symbol) || month < 1 || month > 12 {
		return "", false
	}
	switch n {
	case 4:
		year += 2000
	case 3:
		for year += day.Year() / 10 * 10; year < day.Year()-4; {
			year += 10
		}
		for year > day.Year()+5 {
			year -= 10
		}
	default:
		return "", false
	}
	return fmt.Sprintf("%04d%02d", year, month), true
}

// Expiry is the last day of a contract as a date in the zone of its venue; "" when the gateway does not say it.
func (c *Calendar) Expiry(k hub.Contract) hub.Day {
	if k.OptionExpiry == 0 {
		return ""
	}
	zone := c.zone
	if k.Zone != "" {
		if z, err := time.LoadLocation(k.Zone); err == nil {
			zone = z
		}
	}
	return dateOf(k.OptionExpiry.UTC().In(zone)).day()
}
