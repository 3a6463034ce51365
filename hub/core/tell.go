package core

import (
	"slices"
	"time"

	"tradehub/hub"
)

// tell puts a line into a trader's log window, or, of "", into everybody's; the operator reads it in English.
func (c *Core) tell(trader hub.TraderName, level Level, id hub.OrderID, words hub.Words) {
	n := Notice{Trader: trader, Level: level, Text: words.String(), OrderID: id}
	if c.reads(trader, hub.Chinese) {
		n.Local = words.In(hub.Chinese)
	}
	c.emit(n)
}

// reads reports whether a trader, or, of "", anybody, reads a language.
func (c *Core) reads(trader hub.TraderName, lang hub.Lang) bool {
	if b := c.byTrader[trader]; b != nil {
		return b.lang == lang
	}
	return trader == "" && slices.ContainsFunc(c.traders, func(b *book) bool { return b.lang == lang })
}

func inEnglish(all []hub.Words) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = w.String()
	}
	return out
}

// moment is an instant for people: without the day when that is today.
func moment(t, now hub.Time) string {
	layout := time.TimeOnly
	if t.UTC().Format(time.DateOnly) != now.UTC().Format(time.DateOnly) {
		layout = time.DateTime
	}
	return t.UTC().Format(layout) + " UTC"
}

// saidBy is what a person reads: every refusal with its place.
func saidBy(refusals []hub.Refusal) hub.Words {
	parts := make([]hub.Words, len(refusals))
	for i, r := range refusals {
		said := r.Words
		if said.Empty() {
			said = hub.SayAs(r.Text, r.Local)
		}
		parts[i] = said
		if r.Place != "" {
			parts[i] = hub.Say("%s %s: %s", r.Place, r.Rule, said)
		}
	}
	return hub.Say("%s", parts)
}

// sentenceIn is saidBy for who does not read English; "" for who does.
func sentenceIn(lang hub.Lang, refusals []hub.Refusal) string {
	if lang != hub.Chinese {
		return ""
	}
	return saidBy(refusals).In(lang)
}
