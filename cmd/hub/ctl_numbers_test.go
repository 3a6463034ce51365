package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradehub/hub"
	"tradehub/hub/ctl"
)

func TestReadNumbers(t *testing.T) {
	decimals := cmp.Comparer(func(a, b hub.Decimal) bool { return a.Equal(b) })
	for _, c := range []struct {
		text string
		want []ctl.NewNumber
		err  string
	}{
		{"adv,rb2610.SHFE,1200000\n# by hand\n\n nav, , 1.05 \n", []ctl.NewNumber{{Name: "adv", Of: "rb2610.SHFE", Value: hub.MustDecimal("1200000")}, {Name: "nav", Value: hub.MustDecimal("1.05")}}, ""},
		{"adv,rb2610.SHFE\nadv,m.DCE,many\nadv,i.DCE,5\n", nil, "adv.csv:1: 2 fields; write name, whose, value\nadv.csv:2:11: "},
		{"# nothing\n", nil, "adv.csv: there is no number in it"},
		{strings.Repeat("adv,rb.SHFE,1\n", numbersMax+1), nil, "adv.csv: 801 numbers, and at most 800 are taken at once; make several files of it"},
		{"adv,\"rb.SHFE,1\n", nil, "adv.csv: parse error on line 1, column 16"},
	} {
		got, errs := readNumbers("adv.csv", []byte(c.text))
		err := errors.Join(errs...)
		if (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%.40q: %v, want %q", c.text, err, c.err)
		}
		if err == nil && !cmp.Equal(got, c.want, decimals) {
			t.Errorf("%q: %s", c.text, cmp.Diff(c.want, got, decimals))
		}
	}
}
