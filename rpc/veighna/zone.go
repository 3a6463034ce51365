package veighna

import (
	"strings"
	"time"
	_ "time/tzdata" // a machine without a time zone database must not tell times wrong

	"tradehub/hub"
	"tradehub/rpc/veighna/pickle"
)

// DefaultZone is where a time is shown, and where a naive time is meant, when nobody says otherwise: VeighNa is at home in China.
const DefaultZone = "Asia/Shanghai"

// shanghai is DefaultZone; it never changes.
var shanghai = func() *time.Location {
	loc, err := (&pickle.Zone{Key: DefaultZone}).Location()
	if err != nil {
		panic(err) // the embedded database has it
	}
	return loc
}()

// Zone returns the location of an IANA zone, as Contract.Zone has it; "" is DefaultZone.
func Zone(key string) (*time.Location, error) {
	if key == "" {
		return shanghai, nil
	}
	return (&pickle.Zone{Key: key}).Location()
}

func orShanghai(loc *time.Location) *time.Location {
	if loc == nil {
		return shanghai
	}
	return loc
}

// appendTime writes an aware datetime in that zone; time 0 is None.
func appendTime(dst []byte, t hub.Time, loc *time.Location) []byte {
	if t == 0 {
		return pickle.AppendNone(dst)
	}
	loc = orShanghai(loc)
	at := time.Unix(0, int64(t)).In(loc)
	d := pickle.DateTimeOf(at)
	var z pickle.Zone // stays on the stack
	switch name := loc.String(); {
	case name == "UTC" || strings.ContainsRune(name, '/'):
		z.Key = name
	default: // the machine's own zone, or an offset: there is no name that another machine would know
		z.Fixed = true
		_, z.Offset = at.Zone()
	}
	d.Zone = &z
	return pickle.AppendDateTime(dst, d)
}

// appendNaive writes a datetime without zone, as clocks in loc show it; time 0 is None.
func appendNaive(dst []byte, t hub.Time, loc *time.Location) []byte {
	if t == 0 {
		return pickle.AppendNone(dst)
	}
	return pickle.AppendDateTime(dst, pickle.DateTimeOf(time.Unix(0, int64(t)).In(orShanghai(loc))))
}

// readTime reads a datetime, or a date as its midnight; None is 0. The reason says what is wrong with it.
func readTime(v any, naive *time.Location) (hub.Time, string) {
	var d pickle.DateTime
	switch v := v.(type) {
	case nil:
		return 0, ""
	case pickle.DateTime:
		d = v
	case pickle.Date:
		d = pickle.DateTime{Year: v.Year, Month: v.Month, Day: v.Day}
	default:
		return 0, "must be a datetime, not " + pickle.TypeName(v)
	}
	t, err := d.Time(orShanghai(naive))
	if err != nil {
		return 0, err.Error()
	}
	if t.Year() < 1678 || t.Year() > 2261 { // what nanoseconds in 64 bits can count
		return 0, "is out of range: " + d.String()
	}
	return hub.TimeOf(t), ""
}
