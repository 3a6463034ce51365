package pickle

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
)

// reduce is callee(*args). The few calls that only carry data become that data; anything else becomes an Object that remembers the call.
func (r *reader) reduce(callee any, args Tuple) {
	if r.err != nil {
		return
	}
	class, ok := callee.(*Class)
	if !ok {
		r.fail("cannot call %s", TypeName(callee))
		return
	}
	if v, ok := r.known(class, args); ok {
		r.push(v)
		return
	}
	r.charge(objectStructCost)
	r.push(&Object{Class: class, Args: args})
}

// known makes the value that a call of a data-carrying callable stands for. Not ok: not one of them, or called in a way that Python would
// not accept; the call is then kept as it is, and whoever wants the value says what is wrong with it.
func (r *reader) known(class *Class, args Tuple) (any, bool) {
	switch class.Module {
	case "builtins":
		return r.builtin(class.Name, args)
	case "_codecs":
		if class.Name == "encode" {
			return r.latin1(args)
		}
	case "datetime":
		return knownTime(class.Name, args)
	case "zoneinfo":
		if class.Name == "ZoneInfo" || class.Name == "ZoneInfo._unpickle" {
			return namedZone(args)
		}
	case "pytz":
		return pytzZone(class.Name, args)
	case "numpy.core.multiarray", "numpy._core.multiarray":
		if class.Name == "scalar" {
			return numpyScalar(args)
		}
	case "pandas._libs.tslibs.timestamps":
		if class.Name == "_unpickle_timestamp" || class.Name == "Timestamp" {
			return pandasTimestamp(args)
		}
	}
	return nil, false
}

func (r *reader) builtin(name string, args Tuple) (any, bool) {
	switch name {
	case "getattr":
		return r.getattr(args)
	case "set", "frozenset":
		return r.set(name == "frozenset", args)
	case "bytes", "bytearray":
		switch len(args) {
		case 0:
			return []byte{}, true
		case 1:
			b, ok := args[0].([]byte)
			return b, ok
		case 2:
			return r.latin1(args) // bytearray(str, 'latin-1') in protocol 2
		}
	}
	return nil, false
}

// getattr of a class is a dotted name, as STACK_GLOBAL would have it. Nothing is looked up.
func (r *reader) getattr(args Tuple) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	class, okClass := args[0].(*Class)
	name, okName := args[1].(string)
	if !okClass || !okName || len(class.Name)+len(name) > nameLengthMax {
		return nil, false
	}
	r.charge(containerCost + len(class.Name) + len(name) + 1)
	return &Class{Module: class.Module, Name: class.Name + "." + name}, true
}

func (r *reader) set(frozen bool, args Tuple) (any, bool) {
	s := &Set{Frozen: frozen}
	if len(args) == 0 {
		return s, true
	}
	var items []any
	switch from := args[0].(type) {
	case *List:
		items = from.Items
	case Tuple:
		items = from
	default:
		return nil, false
	}
	if len(args) != 1 {
		return nil, false
	}
	r.hashable(items)
	r.charge(containerCost + itemCost*len(items))
	if r.err == nil {
		s.Items = append(s.Items, items...)
	}
	return s, true
}

// latin1 is how protocol 2 writes bytes: a string whose every rune is a byte.
func (r *reader) latin1(args Tuple) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	s, okText := args[0].(string)
	codec, okCodec := args[1].(string)
	if !okText || !okCodec || (codec != "latin1" && codec != "latin-1") {
		return nil, false
	}
	r.charge(len(s))
	if r.err != nil {
		return nil, true
	}
	b := make([]byte, 0, len(s))
	for _, c := range s {
		if c > 0xff {
			return nil, false
		}
		b = append(b, byte(c))
	}
	return b, true
}

// numpyScalar is scalar(dtype, bytes), where dtype is an Object whose state tells the byte order.
func numpyScalar(args Tuple) (any, bool) {
	if len(args) != 2 {
		return nil, false
	}
	dtype, okType := args[0].(*Object)
	b, okBytes := args[1].([]byte)
	if !okType || !okBytes || !dtype.Class.Is("numpy", "dtype") || len(dtype.Args) == 0 {
		return nil, false
	}
	kind, ok := dtype.Args[0].(string)
	if !ok {
		return nil, false
	}
	order := "<"
	if state, ok := dtype.State.(Tuple); ok && len(state) > 1 {
		if o, ok := state[1].(string); ok {
			order = o
		}
	}
	return scalar(strings.TrimLeft(kind, "<>=|"), order == ">", b)
}

func scalar(kind string, bigEndian bool, b []byte) (any, bool) {
	if len(b) > 8 || kind == "" {
		return nil, false
	}
	var n uint64
	for i := range b {
		if bigEndian {
			n = n<<8 | uint64(b[i])
		} else {
			n |= uint64(b[i]) << (8 * i)
		}
	}
	switch kind + sizeSuffix(len(b)) {
	case "f8:8":
		return math.Float64frombits(n), true
	case "f4:4":
		return float64(math.Float32frombits(uint32(n))), true
	case "i1:1":
		return int64(int8(n)), true
	case "i2:2":
		return int64(int16(n)), true
	case "i4:4":
		return int64(int32(n)), true
	case "i8:8":
		return int64(n), true
	case "u1:1", "u2:2", "u4:4", "u8:8":
		if n > math.MaxInt64 {
			return new(big.Int).SetUint64(n), true
		}
		return int64(n), true
	case "b1:1":
		return n != 0, true
	default:
		return nil, false
	}
}

func sizeSuffix(n int) string { return ":" + string(rune('0'+n)) }

// knownTime makes the classes of module datetime.
func knownTime(name string, args Tuple) (any, bool) {
	switch name {
	case "datetime":
		b, zone, ok := packed(args, 10)
		if !ok {
			return nil, false
		}
		d := DateTime{
			Year: int(binary.BigEndian.Uint16(b)), Month: int(b[2] & 0x7f), Day: int(b[3]), Hour: int(b[4]), Minute: int(b[5]), Second: int(b[6]),
			Micro: int(b[7])<<16 | int(b[8])<<8 | int(b[9]), Fold: b[2]&0x80 != 0, Zone: zone,
		}
		return d, d.valid()
	case "date":
		b, zone, ok := packed(args, 4)
		if !ok || zone != nil {
			return nil, false
		}
		d := Date{Year: int(binary.BigEndian.Uint16(b)), Month: int(b[2]), Day: int(b[3])}
		return d, d.valid()
	case "time":
		b, zone, ok := packed(args, 6)
		if !ok {
			return nil, false
		}
		c := Clock{
			Hour: int(b[0] & 0x7f), Minute: int(b[1]), Second: int(b[2]), Micro: int(b[3])<<16 | int(b[4])<<8 | int(b[5]),
			Fold: b[0]&0x80 != 0, Zone: zone,
		}
		return c, c.valid()
	case "timedelta":
		return delta(args)
	case "timezone":
		return fixedZone(args)
	}
	return nil, false
}

// packed returns the bytes, of that length, and the zone that may follow them. Protocol 2 may carry the bytes as a string.
func packed(args Tuple, length int) ([]byte, *Zone, bool) {
	if len(args) < 1 || len(args) > 2 {
		return nil, nil, false
	}
	b, ok := args[0].([]byte)
	if !ok || len(b) != length {
		return nil, nil, false
	}
	if len(args) == 1 || args[1] == nil {
		return b, nil, true
	}
	zone, ok := args[1].(*Zone)
	return b, zone, ok
}

func ints(args Tuple, most int) ([]int64, bool) {
	if len(args) > most {
		return nil, false
	}
	out := make([]int64, most)
	for i, a := range args {
		n, ok := a.(int64)
		if !ok {
			return nil, false
		}
		out[i] = n
	}
	return out, true
}

func delta(args Tuple) (any, bool) {
	n, ok := ints(args, 3)
	if !ok {
		return nil, false
	}
	for _, v := range n {
		if v > deltaMax || v < -deltaMax {
			return nil, false
		}
	}
	return newDelta(n[0], n[1], n[2]), true
}

func fixedZone(args Tuple) (any, bool) {
	if len(args) < 1 || len(args) > 2 {
		return nil, false
	}
	d, ok := args[0].(Delta)
	if !ok || d.Micros != 0 || d.Days < -1 || d.Days > 0 {
		return nil, false
	}
	z := &Zone{Fixed: true, Offset: int(d.Days)*86400 + int(d.Seconds)}
	if len(args) == 2 {
		if z.Name, ok = args[1].(string); !ok {
			return nil, false
		}
	}
	return z, z.valid()
}

func namedZone(args Tuple) (any, bool) {
	if len(args) < 1 || len(args) > 2 {
		return nil, false
	}
	key, ok := args[0].(string)
	if !ok || key == "" || len(key) > zoneKeyMax {
		return nil, false
	}
	return &Zone{Key: key}, true
}

// pytzZone makes what pytz pickles: a localised zone is an offset that happens to know its name.
func pytzZone(name string, args Tuple) (any, bool) {
	switch name {
	case "_UTC":
		return &Zone{Key: "UTC", Fixed: true, Name: "UTC"}, true
	case "FixedOffset":
		n, ok := ints(args, 1)
		if !ok || len(args) != 1 || n[0] <= -1440 || n[0] >= 1440 {
			return nil, false
		}
		return &Zone{Fixed: true, Offset: int(n[0]) * 60}, true
	case "_p":
		if len(args) == 1 {
			return namedZone(args)
		}
		if len(args) != 4 {
			return nil, false
		}
		key, okKey := args[0].(string)
		offset, okOffset := args[1].(int64)
		abbreviation, okName := args[3].(string)
		if !okKey || !okOffset || !okName || len(key) > zoneKeyMax || offset < -86400 || offset > 86400 {
			return nil, false
		}
		z := &Zone{Key: key, Fixed: true, Offset: int(offset), Name: abbreviation}
		return z, z.valid()
	}
	return nil, false
}

// pandasTimestamp is _unpickle_timestamp(value, freq, tz, unit), or Timestamp(value, freq, tz) before pandas 2: an instant, seen in a zone.
func pandasTimestamp(args Tuple) (any, bool) {
	if len(args) < 3 || len(args) > 4 {
		return nil, false
	}
	value, ok := args[0].(int64)
	if !ok {
		return nil, false
	}
	perMicro, micros := int64(1000), int64(1)
	if len(args) == 4 {
		switch args[3] {
		case int64(7):
			perMicro, micros = 1, 1e6
		case int64(8):
			perMicro, micros = 1, 1e3
		case int64(9):
			perMicro = 1
		case int64(10):
		default:
			return nil, false
		}
	}
	if value > math.MaxInt64/micros || value < math.MinInt64/micros {
		return nil, false
	}
	zone, isZone := args[2].(*Zone)
	if !isZone && args[2] != nil {
		return nil, false
	}
	us := value * micros
	if perMicro > 1 {
		us = floorDiv(value, perMicro)
	}
	return dateTimeAt(us, zone)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
