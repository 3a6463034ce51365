package calendar

import (
	"slices"
	"strings"
	"time"

	"tradehub/hub"
)

// Exchanges are the calendars of the exchanges that the hub knows. A configuration may say otherwise, and an exchange that is in neither has the main calendar.
var exchanges = []hub.ExchangeCalendar{
	{Exchange: "AMEX", Calendar: "us-stock"},
	{Exchange: "ARCA", Calendar: "us-stock"},
	{Exchange: "BATS", Calendar: "us-stock"},
	{Exchange: "BSE", Calendar: "cn-stock"},
	{Exchange: "CFFEX", Calendar: "cn-futures"},
	{Exchange: "CZCE", Calendar: "cn-futures"},
	{Exchange: "DCE", Calendar: "cn-futures"},
	{Exchange: "GFEX", Calendar: "cn-futures"},
	{Exchange: "GLOBAL", Calendar: "crypto"},
	{Exchange: "INE", Calendar: "cn-futures"},
	{Exchange: "NASDAQ", Calendar: "us-stock"},
	{Exchange: "NYSE", Calendar: "us-stock"},
	{Exchange: "SHFE", Calendar: "cn-futures"},
	{Exchange: "SSE", Calendar: "cn-stock"},
	{Exchange: "SZSE", Calendar: "cn-stock"},
}

// Exchanges returns the calendars that exchanges have unless a configuration says otherwise. What has no entry has the main calendar.
func Exchanges() []hub.ExchangeCalendar { return slices.Clone(exchanges) }

// Set is the calendars of a hub: the main one, by which counters and the day's profit and loss roll, and those of exchanges. It does not change.
type Set struct {
	main *Calendar
	of   map[string]*Calendar
	all  []*Calendar
}

// NewSet makes a Set of the main calendar and those of exchanges.
func NewSet(main *Calendar, of map[string]*Calendar) *Set {
	s := &Set{main: main, of: of, all: []*Calendar{main}}
	for _, c := range of {
		if !slices.Contains(s.all, c) {
			s.all = append(s.all, c)
		}
	}
	slices.SortFunc(s.all[1:], func(a, b *Calendar) int { return strings.Compare(a.name, b.name) })
	return s
}

// Main is the main calendar.
func (s *Set) Main() *Calendar { return s.main }

// Of is the calendar of an exchange.
func (s *Set) Of(exchange string) *Calendar {
	if c := s.of[exchange]; c != nil {
		return c
	}
	return s.main
}

// All are the calendars, the main one first and then by name. The slice is the Set's own.
func (s *Set) All() []*Calendar { return s.all }

// Exchanges are the exchanges whose calendar is not left to the main one, sorted.
func (s *Set) Exchanges() []hub.ExchangeCalendar {
	out := make([]hub.ExchangeCalendar, 0, len(s.of))
	for exchange, c := range s.of {
		out = append(out, hub.ExchangeCalendar{Exchange: exchange, Calendar: c.name})
	}
	slices.SortFunc(out, func(a, b hub.ExchangeCalendar) int { return strings.Compare(a.Exchange, b.Exchange) })
	return out
}

// NextRoll is when the next trading day of any of the calendars begins.
func (s *Set) NextRoll(t time.Time) time.Time {
	next := s.main.NextRoll(t)
	for _, c := range s.all[1:] {
		if at := c.NextRoll(t); at.Before(next) {
			next = at
		}
	}
	return next
}
