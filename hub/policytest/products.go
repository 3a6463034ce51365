package policytest

import (
	"strings"

	"tradehub/hub"
)

// product is what the contracts of a product have in common. The terms are those of the exchanges as generally known in 2026, so that tests need not say them; the prices are
// round, and mean nothing.
type product struct {
	name, exchange   string
	size, tick, last string
	most             string // of one order; "" for none
}

var products = []product{
	{"rb", "SHFE", "10", "1", "3500", "500"},
	{"hc", "SHFE", "10", "1", "3500", "500"},
	{"ss", "SHFE", "5", "5", "13000", "500"},
	{"cu", "SHFE", "5", "10", "80000", "500"},
	{"al", "SHFE", "5", "5", "20000", "500"},
	{"zn", "SHFE", "5", "5", "22000", "500"},
	{"pb", "SHFE", "5", "5", "17000", "500"},
	{"ni", "SHFE", "1", "10", "120000", "500"},
	{"sn", "SHFE", "1", "10", "250000", "500"},
	{"ao", "SHFE", "20", "1", "3000", "500"},
	{"au", "SHFE", "1000", "0.02", "800", "500"},
	{"ag", "SHFE", "15", "1", "9000", "500"},
	{"ru", "SHFE", "10", "5", "15000", "500"},
	{"bu", "SHFE", "10", "1", "3500", "500"},
	{"fu", "SHFE", "10", "1", "3000", "500"},
	{"sp", "SHFE", "10", "2", "5500", "500"},
	{"sc", "INE", "1000", "0.1", "500", "500"},
	{"lu", "INE", "10", "1", "3500", "500"},
	{"nr", "INE", "10", "5", "12000", "500"},
	{"bc", "INE", "5", "10", "70000", "500"},
	{"ec", "INE", "50", "0.1", "2000", "500"},
	{"i", "DCE", "100", "0.5", "800", "1000"},
	{"j", "DCE", "100", "0.5", "1800", "1000"},
	{"jm", "DCE", "60", "0.5", "1200", "1000"},
	{"m", "DCE", "10", "1", "3000", "1000"},
	{"a", "DCE", "10", "1", "4000", "1000"},
	{"y", "DCE", "10", "2", "8000", "1000"},
	{"p", "DCE", "10", "2", "8500", "1000"},
	{"c", "DCE", "10", "1", "2300", "1000"},
	{"l", "DCE", "5", "1", "7500", "1000"},
	{"v", "DCE", "5", "1", "5000", "1000"},
	{"pp", "DCE", "5", "1", "7000", "1000"},
	{"eg", "DCE", "10", "1", "4500", "1000"},
	{"jd", "DCE", "10", "1", "3500", "1000"},
	{"lh", "DCE", "16", "5", "14000", "1000"},
	{"TA", "CZCE", "5", "2", "5000", "1000"},
	{"MA", "CZCE", "10", "1", "2500", "1000"},
	{"SR", "CZCE", "10", "1", "6000", "1000"},
	{"CF", "CZCE", "5", "5", "14000", "1000"},
	{"RM", "CZCE", "10", "1", "2500", "1000"},
	{"OI", "CZCE", "10", "1", "9000", "1000"},
	{"FG", "CZCE", "20", "1", "1200", "1000"},
	{"SA", "CZCE", "20", "1", "1300", "1000"},
	{"AP", "CZCE", "10", "1", "8000", "1000"},
	{"si", "GFEX", "5", "5", "9000", "1000"},
	{"lc", "GFEX", "1", "20", "80000", "1000"},
	{"IF", "CFFEX", "300", "0.2", "4500", "20"},
	{"IH", "CFFEX", "300", "0.2", "3000", "20"},
	{"IC", "CFFEX", "200", "0.2", "7000", "20"},
	{"IM", "CFFEX", "200", "0.2", "7000", "20"},
	{"TS", "CFFEX", "20000", "0.002", "102", "50"},
	{"TF", "CFFEX", "10000", "0.005", "106", "50"},
	{"T", "CFFEX", "10000", "0.005", "108", "50"},
	{"TL", "CFFEX", "10000", "0.01", "115", "50"},
}

// coins are the pairs that are known, with a price.
var coins = []struct{ symbol, tick, least, last string }{
	{"BTCUSDT", "0.01", "0.0001", "90000"},
	{"ETHUSDT", "0.01", "0.001", "3000"},
}

// known makes the contract of an instrument whose terms need not be said: futures of the Chinese exchanges, A shares and two coin pairs. Without an exchange the product's is taken.
func known(i hub.Instrument) (contract, bool) {
	letters := i.Symbol
	if n := strings.IndexFunc(letters, func(r rune) bool { return r < 'A' || r > 'z' }); n >= 0 {
		letters = letters[:n]
	}
	if strings.Contains(i.Symbol, "-") {
		return contract{}, false // an option
	}
	for _, p := range products {
		if p.name == letters && letters != i.Symbol && (i.Exchange == "" || i.Exchange == p.exchange) {
			i.Exchange = p.exchange
			return p.contract(i), true
		}
	}
	for _, c := range coins {
		if c.symbol == i.Symbol && (i.Exchange == "" || i.Exchange == "GLOBAL") {
			i.Exchange = "GLOBAL"
			return contract{Contract: hub.Contract{
				Instrument: i, Product: i.Symbol, Kind: hub.Spot, Currency: "USDT", Size: hub.Int(1), Tick: hub.MustDecimal(c.tick), MinQty: hub.MustDecimal(c.least), NetPosition: true,
			}, last: hub.MustDecimal(c.last)}, true
		}
	}
	exchange := shareExchange(i.Symbol)
	if exchange == "" || i.Exchange != "" && i.Exchange != exchange {
		return contract{}, false
	}
	i.Exchange = exchange
	return contract{Contract: hub.Contract{
		Instrument: i, Product: i.Symbol, Kind: hub.Equity, Size: hub.Int(1), Tick: hub.MustDecimal("0.01"), MinQty: hub.Int(100), MaxQty: hub.Int(1_000_000), NetPosition: true, SellNextDay: true,
	}, last: hub.Int(10)}, true
}

// shareExchange is where an A share of six digits is traded; "" for anything else.
func shareExchange(symbol string) string {
	if len(symbol) != 6 || strings.Trim(symbol, "0123456789") != "" {
		return ""
	}
	switch symbol[0] {
	case '6':
		return "SSE"
	case '0', '3':
		return "SZSE"
	case '4', '8', '9':
		return "BSE"
	}
	return ""
}

func (p *product) contract(i hub.Instrument) contract {
	k := hub.Contract{
		Instrument: i, Product: p.name, Kind: hub.Futures, Size: hub.MustDecimal(p.size), Tick: hub.MustDecimal(p.tick), MinQty: hub.Int(1), StopSupported: true,
		SplitsToday: p.exchange == "SHFE" || p.exchange == "INE", MarginLong: hub.MustDecimal("0.1"), MarginShort: hub.MustDecimal("0.1"),
	}
	if p.most != "" {
		k.MaxQty = hub.MustDecimal(p.most)
	}
	return contract{Contract: k, last: hub.MustDecimal(p.last)}
}
