package pickle

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

const reprDepthMax = 8

// Repr describes v about as Python would, in at most about limit bytes, for people: logs and messages. It ends for a value that contains
// itself.
func Repr(v any, limit int) string {
	p := printer{limit: limit}
	p.value(v, 0)
	if p.full() {
		return strings.ToValidUTF8(p.out.String()[:limit], "") + "..."
	}
	return p.out.String()
}

type printer struct {
	out   strings.Builder
	limit int
}

func (p *printer) full() bool { return p.out.Len() > p.limit }

func (p *printer) write(s string) {
	if !p.full() {
		p.out.WriteString(s[:min(len(s), p.limit+1)])
	}
}

func (p *printer) value(v any, depth int) {
	if p.full() {
		return
	}
	if depth > reprDepthMax {
		p.write("...")
		return
	}
	switch v := v.(type) {
	case nil:
		p.write("None")
	case bool:
		p.write(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		p.write(strconv.FormatInt(v, 10))
	case *big.Int:
		p.write(v.String())
	case float64:
		p.write(strconv.FormatFloat(v, 'g', -1, 64))
	case string:
		p.write(strconv.Quote(v[:min(len(v), p.limit+4)]))
	case []byte:
		p.write("b" + strconv.Quote(string(v[:min(len(v), p.limit+4)])))
	case *List:
		p.items("[", v.Items, "]", depth)
	case Tuple:
		p.items("(", v, ")", depth)
	case *Set:
		p.items("{", v.Items, "}", depth)
	case *Dict:
		p.pairs(v.Pairs, depth)
	case *Class:
		p.write(v.String())
	case *Object:
		p.object(v, depth)
	case *Zone:
		p.write(v.String())
	default:
		p.write(fmt.Sprint(v))
	}
}

func (p *printer) items(open string, items []any, end string, depth int) {
	p.write(open)
	for i, item := range items {
		if p.full() {
			return
		}
		if i > 0 {
			p.write(", ")
		}
		p.value(item, depth+1)
	}
	p.write(end)
}

func (p *printer) pairs(pairs []Pair, depth int) {
	p.write("{")
	for i, e := range pairs {
		if p.full() {
			return
		}
		if i > 0 {
			p.write(", ")
		}
		p.value(e.Key, depth+1)
		p.write(": ")
		p.value(e.Value, depth+1)
	}
	p.write("}")
}

func (p *printer) object(o *Object, depth int) {
	p.write(o.Class.String())
	p.items("(", o.Args, ")", depth)
	if o.State != nil {
		p.value(o.State, depth+1)
	}
}

// String returns the zone's name, or its offset: "Asia/Shanghai", "UTC+08:00".
func (z *Zone) String() string {
	switch {
	case z.Key != "":
		return z.Key
	case z.Name != "":
		return z.Name
	case z.Offset == 0:
		return "UTC"
	default:
		sign, offset := '+', z.Offset
		if offset < 0 {
			sign, offset = '-', -offset
		}
		return fmt.Sprintf("UTC%c%02d:%02d", sign, offset/3600, offset/60%60)
	}
}

// String returns the time as Python's str does.
func (d DateTime) String() string {
	s := Date{d.Year, d.Month, d.Day}.String() + " " + Clock{Hour: d.Hour, Minute: d.Minute, Second: d.Second, Micro: d.Micro}.String()
	if d.Zone != nil {
		s += " " + d.Zone.String()
	}
	return s
}

// String returns the date as Python's str does.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// String returns the time as Python's str does.
func (c Clock) String() string {
	s := fmt.Sprintf("%02d:%02d:%02d", c.Hour, c.Minute, c.Second)
	if c.Micro != 0 {
		s += fmt.Sprintf(".%06d", c.Micro)
	}
	return s
}

// String returns the days and what is left of one.
func (d Delta) String() string {
	return fmt.Sprintf("%d days, %s", d.Days, Clock{Hour: int(d.Seconds / 3600), Minute: int(d.Seconds / 60 % 60), Second: int(d.Seconds % 60), Micro: int(d.Micros)})
}
