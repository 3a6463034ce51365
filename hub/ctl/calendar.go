package ctl

import (
	"context"
	"net/http"
	"time"
)

// Calendar is how a trading calendar stands at a moment. Its times are in its own zone.
type Calendar struct {
	Name string `json:"name"`
	// Main: counters and profit and loss of the day roll with it, and so does every exchange that has no other.
	Main      bool      `json:"main"`
	Exchanges []string  `json:"exchanges"`
	Zone      string    `json:"zone"`
	Now       time.Time `json:"now"`
	// Day is the trading day now, Books the one that has begun in the books: they differ for the moment in which a day begins.
	Day      string    `json:"day"`
	Books    string    `json:"books"`
	Began    time.Time `json:"began"`
	NextRoll time.Time `json:"next_roll"`
	// Holiday is the name of today's date, if it is one.
	Holiday string `json:"holiday,omitempty"`
	// Known: the holidays of this year are known; until KnownUntil, or, when that is "", there are none at all.
	Known      bool   `json:"known"`
	KnownUntil string `json:"known_until,omitempty"`
	// Warning says that holidays are not known, now or soon.
	Warning string  `json:"warning,omitempty"`
	Source  string  `json:"source,omitempty"`
	Hours   []Hours `json:"hours"`
}

// Hours are what a group of products does now. Without Products it is all that no other group has.
type Hours struct {
	Group    string   `json:"group"`
	Products []string `json:"products,omitempty"`
	Session  string   `json:"session,omitempty"`
	Phase    string   `json:"phase"`
	// Opened and Closes are of the phase, and NextOpen of the next one that takes orders; they are left out where there is none.
	Opened   time.Time `json:"opened,omitzero"`
	Closes   time.Time `json:"closes,omitzero"`
	NextOpen time.Time `json:"next_open,omitzero"`
}

// Calendars asks how the trading calendars stand, the main one first.
func (c *Client) Calendars(ctx context.Context) (all []Calendar, err error) {
	return all, c.ask(ctx, http.MethodGet, "/v1/calendars", nil, &all)
}
