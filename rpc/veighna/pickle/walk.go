package pickle

import "fmt"

// walk meets every value as a reader of the whole would, and gives up when there are too many of them or when they nest too deep.
// A value that contains itself is met once on each way to it.
type walk struct {
	left  int
	depth int
}

func (w *walk) value(v any, depth int) string {
	if w.left--; w.left < 0 {
		return "values that refer to each other amount to too many"
	}
	var walking *bool
	var lists [2][]any
	var pairs, more []Pair
	var state any
	switch v := v.(type) {
	case *List:
		walking, lists[0] = &v.walking, v.Items
	case Tuple:
		lists[0] = v
	case *Set:
		walking, lists[0] = &v.walking, v.Items
	case *Dict:
		walking, pairs = &v.walking, v.Pairs
	case *Object:
		walking, pairs, state = &v.walking, v.Pairs, v.State
		lists[0], lists[1] = v.Args, v.Items
		if v.Kwargs != nil {
			more = v.Kwargs.Pairs
		}
	default:
		return ""
	}
	if depth >= w.depth {
		return fmt.Sprintf("values nest deeper than %d", w.depth)
	}
	if walking != nil {
		if *walking {
			return ""
		}
		*walking = true
		defer func() { *walking = false }()
	}
	for _, items := range lists {
		for _, item := range items {
			if reason := w.value(item, depth+1); reason != "" {
				return reason
			}
		}
	}
	for _, list := range [][]Pair{pairs, more} {
		for _, p := range list {
			if reason := w.value(p.Key, depth+1); reason != "" {
				return reason
			}
			if reason := w.value(p.Value, depth+1); reason != "" {
				return reason
			}
		}
	}
	if state != nil {
		return w.value(state, depth+1)
	}
	return ""
}
