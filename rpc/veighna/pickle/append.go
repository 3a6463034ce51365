package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// The Append functions write opcodes of protocol 4, without memo and frames, after what is in dst. A whole pickle is AppendProto, one value,
// AppendStop.

// AppendProto begins a pickle.
func AppendProto(dst []byte) []byte { return append(dst, opProto, protocolWritten) }

// AppendStop ends a pickle.
func AppendStop(dst []byte) []byte { return append(dst, opStop) }

// AppendNone writes None.
func AppendNone(dst []byte) []byte { return append(dst, opNone) }

// AppendBool writes True or False.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, opNewTrue)
	}
	return append(dst, opNewFalse)
}

// AppendFloat writes a float.
func AppendFloat(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, opBinFloat), math.Float64bits(f))
}

// AppendInt writes an int.
func AppendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0 && n <= math.MaxUint8:
		return append(dst, opBinInt1, byte(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		return binary.LittleEndian.AppendUint32(append(dst, opBinInt), uint32(n))
	default:
		return binary.LittleEndian.AppendUint64(append(dst, opLong1, 8), uint64(n))
	}
}

// AppendString writes a str. What is not UTF-8 in s becomes U+FFFD: Python would not load it.
func AppendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	switch {
	case len(s) <= math.MaxUint8:
		dst = append(dst, opShortUnicode, byte(len(s)))
	case uint64(len(s)) <= math.MaxUint32:
		dst = binary.LittleEndian.AppendUint32(append(dst, opBinUnicode), uint32(len(s)))
	default:
		dst = binary.LittleEndian.AppendUint64(append(dst, opBinUnicode8), uint64(len(s)))
	}
	return append(dst, s...)
}

// AppendBytes writes bytes.
func AppendBytes(dst, b []byte) []byte {
	switch {
	case len(b) <= math.MaxUint8:
		dst = append(dst, opShortBinBytes, byte(len(b)))
	case uint64(len(b)) <= math.MaxUint32:
		dst = binary.LittleEndian.AppendUint32(append(dst, opBinBytes), uint32(len(b)))
	default:
		dst = binary.LittleEndian.AppendUint64(append(dst, opBinBytes8), uint64(len(b)))
	}
	return append(dst, b...)
}

// AppendGlobal writes a class or function.
func AppendGlobal(dst []byte, module, name string) []byte {
	return append(AppendString(AppendString(dst, module), name), opStackGlobal)
}

// AppendListStart begins a list; its items and AppendListEnd follow.
func AppendListStart(dst []byte) []byte { return append(dst, opEmptyList, opMark) }

// AppendListEnd ends a list.
func AppendListEnd(dst []byte) []byte { return append(dst, opAppends) }

// AppendDictStart begins a dict; its keys and values in turn and AppendDictEnd follow.
func AppendDictStart(dst []byte) []byte { return append(dst, opEmptyDict, opMark) }

// AppendDictEnd ends a dict.
func AppendDictEnd(dst []byte) []byte { return append(dst, opSetItems) }

// AppendTupleStart begins a tuple; its items and AppendTupleEnd follow.
func AppendTupleStart(dst []byte) []byte { return append(dst, opMark) }

// AppendTupleEnd ends a tuple.
func AppendTupleEnd(dst []byte) []byte { return append(dst, opTuple) }

// AppendObjectStart begins an instance of a plain class; names and values of its attributes in turn and AppendObjectEnd follow.
func AppendObjectStart(dst []byte, module, name string) []byte {
	return append(AppendGlobal(dst, module, name), opEmptyTuple, opNewObj, opEmptyDict, opMark)
}

// AppendObjectEnd ends an instance.
func AppendObjectEnd(dst []byte) []byte { return append(dst, opSetItems, opBuild) }

// AppendCallStart begins a call; its arguments, at least one, and AppendCallEnd follow.
func AppendCallStart(dst []byte, module, name string) []byte {
	return append(AppendGlobal(dst, module, name), opMark)
}

// AppendCallEnd ends a call.
func AppendCallEnd(dst []byte) []byte { return append(dst, opTuple, opReduce) }

// AppendDateTime writes a datetime.
func AppendDateTime(dst []byte, d DateTime) []byte {
	dst = append(dst, "\x8c\x08datetime\x8c\x08datetime\x93C\x0a"...)
	month := byte(d.Month)
	if d.Fold {
		month |= 0x80
	}
	dst = append(dst, byte(d.Year>>8), byte(d.Year), month, byte(d.Day), byte(d.Hour), byte(d.Minute), byte(d.Second),
		byte(d.Micro>>16), byte(d.Micro>>8), byte(d.Micro))
	return appendZoned(dst, d.Zone)
}

// appendZoned ends a call with the arguments so far, one, and the zone.
func appendZoned(dst []byte, z *Zone) []byte {
	if z == nil {
		return append(dst, opTuple1, opReduce)
	}
	return append(AppendZone(dst, z), opTuple2, opReduce)
}

// AppendZone writes a tzinfo: zoneinfo.ZoneInfo for a zone with rules, datetime.timezone for an offset.
func AppendZone(dst []byte, z *Zone) []byte {
	if !z.Fixed {
		dst = append(dst, "\x8c\x08zoneinfo\x8c\x08ZoneInfo\x93"...)
		return append(AppendString(dst, z.Key), opTuple1, opReduce)
	}
	dst = AppendGlobal(dst, "datetime", "timezone")
	dst = appendDelta(dst, newDelta(0, int64(z.Offset), 0))
	if z.Name == "" {
		return append(dst, opTuple1, opReduce)
	}
	return append(AppendString(dst, z.Name), opTuple2, opReduce)
}

func appendDelta(dst []byte, d Delta) []byte {
	dst = AppendGlobal(dst, "datetime", "timedelta")
	dst = AppendInt(AppendInt(AppendInt(dst, d.Days), d.Seconds), d.Micros)
	return append(dst, opTuple3, opReduce)
}

// depthMax is how deep Append follows a value.
const depthMax = 128

// Append writes any value that Decode returns, or that is built of the same types; int is written too. It fails on another type, and on a
// value that contains itself.
func Append(dst []byte, v any) ([]byte, error) { return appendAny(dst, v, 0) }

func appendAny(dst []byte, v any, depth int) ([]byte, error) {
	if depth > depthMax {
		return dst, fmt.Errorf("pickle: values nest deeper than %d", depthMax)
	}
	var err error
	switch v := v.(type) {
	case nil:
		return AppendNone(dst), nil
	case bool:
		return AppendBool(dst, v), nil
	case int:
		return AppendInt(dst, int64(v)), nil
	case int64:
		return AppendInt(dst, v), nil
	case *big.Int:
		return appendBig(dst, v)
	case float64:
		return AppendFloat(dst, v), nil
	case string:
		return AppendString(dst, v), nil
	case []byte:
		return AppendBytes(dst, v), nil
	case *Class:
		return AppendGlobal(dst, v.Module, v.Name), nil
	case DateTime:
		return AppendDateTime(dst, v), nil
	case Date:
		dst = AppendGlobal(dst, "datetime", "date")
		dst = AppendBytes(dst, []byte{byte(v.Year >> 8), byte(v.Year), byte(v.Month), byte(v.Day)})
		return append(dst, opTuple1, opReduce), nil
	case Clock:
		dst = AppendGlobal(dst, "datetime", "time")
		hour := byte(v.Hour)
		if v.Fold {
			hour |= 0x80
		}
		dst = AppendBytes(dst, []byte{hour, byte(v.Minute), byte(v.Second), byte(v.Micro >> 16), byte(v.Micro >> 8), byte(v.Micro)})
		return appendZoned(dst, v.Zone), nil
	case Delta:
		return appendDelta(dst, v), nil
	case *Zone:
		return AppendZone(dst, v), nil
	case Tuple:
		if len(v) == 0 {
			return append(dst, opEmptyTuple), nil
		}
		dst, err = appendItems(AppendTupleStart(dst), v, depth)
		return AppendTupleEnd(dst), err
	case *List:
		if len(v.Items) == 0 {
			return append(dst, opEmptyList), nil
		}
		dst, err = appendItems(AppendListStart(dst), v.Items, depth)
		return AppendListEnd(dst), err
	case *Set:
		return appendSet(dst, v, depth)
	case *Dict:
		dst = append(dst, opEmptyDict)
		return appendPairs(dst, v.Pairs, depth)
	case *Object:
		return appendObject(dst, v, depth)
	default:
		return dst, fmt.Errorf("pickle: cannot write a %T", v)
	}
}

func appendItems(dst []byte, items []any, depth int) ([]byte, error) {
	var err error
	for _, item := range items {
		if dst, err = appendAny(dst, item, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendPairs adds entries to the dict or object that is on the stack.
func appendPairs(dst []byte, pairs []Pair, depth int) ([]byte, error) {
	if len(pairs) == 0 {
		return dst, nil
	}
	var err error
	dst = append(dst, opMark)
	for _, p := range pairs {
		if dst, err = appendAny(dst, p.Key, depth+1); err != nil {
			return dst, err
		}
		if dst, err = appendAny(dst, p.Value, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, opSetItems), nil
}

func appendSet(dst []byte, s *Set, depth int) ([]byte, error) {
	var err error
	if s.Frozen {
		dst, err = appendItems(append(dst, opMark), s.Items, depth)
		return append(dst, opFrozenSet), err
	}
	dst = append(dst, opEmptySet)
	if len(s.Items) == 0 {
		return dst, nil
	}
	dst, err = appendItems(append(dst, opMark), s.Items, depth)
	return append(dst, opAddItems), err
}

func appendObject(dst []byte, o *Object, depth int) ([]byte, error) {
	dst = AppendGlobal(dst, o.Class.Module, o.Class.Name)
	dst, err := appendAny(dst, o.Args, depth+1)
	if err != nil {
		return dst, err
	}
	switch {
	case o.Kwargs != nil:
		if dst, err = appendAny(dst, o.Kwargs, depth+1); err != nil {
			return dst, err
		}
		dst = append(dst, opNewObjEx)
	case o.New:
		dst = append(dst, opNewObj)
	default:
		dst = append(dst, opReduce)
	}
	if len(o.Items) > 0 {
		if dst, err = appendItems(append(dst, opMark), o.Items, depth); err != nil {
			return dst, err
		}
		dst = append(dst, opAppends)
	}
	if dst, err = appendPairs(dst, o.Pairs, depth); err != nil || o.State == nil {
		return dst, err
	}
	dst, err = appendAny(dst, o.State, depth+1)
	return append(dst, opBuild), err
}

// appendBig writes an int that does not fit in an int64, in as few bytes as two's complement takes.
func appendBig(dst []byte, n *big.Int) ([]byte, error) {
	if n.IsInt64() {
		return AppendInt(dst, n.Int64()), nil
	}
	size := n.BitLen()/8 + 1
	if size > longBytesMax {
		return dst, fmt.Errorf("pickle: an int of %d bytes", size)
	}
	m := n
	if n.Sign() < 0 {
		m = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	be := m.FillBytes(make([]byte, size))
	if size <= math.MaxUint8 {
		dst = append(dst, opLong1, byte(size))
	} else {
		dst = binary.LittleEndian.AppendUint32(append(dst, opLong4), uint32(size))
	}
	for _, c := range slices.Backward(be) {
		dst = append(dst, c)
	}
	return dst, nil
}
