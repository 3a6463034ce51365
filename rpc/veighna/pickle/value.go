package pickle

import "slices"

// List is a Python list.
type List struct {
	Items []any

	walking bool // set while a walk is below this value, so that a cycle ends the walk
}

// Tuple is a Python tuple.
type Tuple []any

// Pair is one entry of a Dict.
type Pair struct{ Key, Value any }

// Dict is a Python dict, in insertion order. A key that was set twice is there twice; the later one counts.
type Dict struct {
	Pairs []Pair

	walking bool
}

// Get returns the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	if d == nil {
		return nil, false
	}
	return find(d.Pairs, key)
}

func find(pairs []Pair, key string) (any, bool) {
	for _, p := range slices.Backward(pairs) {
		if k, ok := p.Key.(string); ok && k == key {
			return p.Value, true
		}
	}
	return nil, false
}

// Set is a Python set or frozenset, in the order in which it was written. Equal items are not merged.
type Set struct {
	Items  []any
	Frozen bool

	walking bool
}

// Class is a name in a Python module: a class, a function, or, with a dot in Name, an attribute of one ("Direction.LONG").
type Class struct{ Module, Name string }

// String returns "module.name".
func (c *Class) String() string { return c.Module + "." + c.Name }

// Is reports whether c is that name.
func (c *Class) Is(module, name string) bool { return c.Name == name && c.Module == module }

// Object is an instance of a class that this package does not know, or a call that it did not make. Nothing of it was run.
type Object struct {
	Class *Class
	// Args and Kwargs are what the class or function would have been called with.
	Args   Tuple
	Kwargs *Dict
	// New: made with cls.__new__(cls, *args), as plain classes are; otherwise by a call of Class.
	New bool
	// State is what BUILD would have given to the instance, a *Dict for plain classes; nil when there was no BUILD.
	State any
	// Items and Pairs are what would have been appended (a deque) or set (an OrderedDict).
	Items []any
	Pairs []Pair

	walking bool
}

// Attr returns an attribute of the state. With __slots__ the state is a tuple of two dicts: both are searched.
func (o *Object) Attr(name string) (any, bool) {
	switch s := o.State.(type) {
	case *Dict:
		return s.Get(name)
	case Tuple:
		for _, part := range slices.Backward(s) {
			if d, ok := part.(*Dict); ok {
				if v, ok := d.Get(name); ok {
					return v, true
				}
			}
		}
	}
	return nil, false
}

// TypeName returns what Python would call the type of v: "int", "str", "OrderRequest".
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case float64:
		return "float"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *Set:
		if v.Frozen {
			return "frozenset"
		}
		return "set"
	case *Class:
		return "type"
	case *Object:
		return v.Class.Name
	case DateTime:
		return "datetime"
	case Date:
		return "date"
	case Clock:
		return "time"
	case Delta:
		return "timedelta"
	case *Zone:
		return "tzinfo"
	default: // int64 and *big.Int; there is nothing else
		return "int"
	}
}
