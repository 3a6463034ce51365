package model

import (
	"strings"

	"tradehub/hub"
)

func ceil(d hub.Decimal) hub.Decimal  { return d.Ceil(2) }
func floor(d hub.Decimal) hub.Decimal { return d.Floor(2) }

// money writes 1234500.5 as 1,234,500.5, rounded to cents by round.
func money(d hub.Decimal, round func(hub.Decimal) hub.Decimal) string {
	text := round(d).Trim(0).String()
	sign, text := text[:len(text)-len(strings.TrimPrefix(text, "-"))], strings.TrimPrefix(text, "-")
	whole, cents, _ := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if cents != "" {
		b.WriteString("." + cents)
	}
	return b.String()
}

// percent writes 0.8 as "80 %".
func percent(part hub.Decimal) string {
	var sum hub.Sum
	return sum.Mul(part, hub.Int(100)).Trim(0).String() + " %"
}
