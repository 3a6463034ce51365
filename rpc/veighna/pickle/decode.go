package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// Limits bound what a pickle may cost. A zero field means the value in DefaultLimits.
type Limits struct {
	// Bytes is the size of the pickle.
	Bytes int
	// Objects counts values put on the stack, those fetched from the memo too.
	Objects int
	// Memory is about how many bytes the values take, each counted once.
	Memory int
	// Expanded counts values as a walk meets them: a list that is in two lists counts twice, with all that is in it.
	Expanded int
	// Depth is how deep containers nest.
	Depth int
	// Stack is how many values, Memo how many memo slots, are in use at once.
	Stack, Memo int
}

// DefaultLimits are meant for a peer that is trusted to be busy, not to be kind: a server that lists tens of thousands of contracts.
func DefaultLimits() Limits {
	return Limits{Bytes: 4 << 20, Objects: 2 << 20, Memory: 128 << 20, Expanded: 4 << 20, Depth: 64, Stack: 256 << 10, Memo: 1 << 20}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int }{
		{&l.Bytes, &d.Bytes},
		{&l.Objects, &d.Objects},
		{&l.Memory, &d.Memory},
		{&l.Expanded, &d.Expanded},
		{&l.Depth, &d.Depth},
		{&l.Stack, &d.Stack},
		{&l.Memo, &d.Memo},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}

// Error says where and why a pickle was refused.
type Error struct {
	Offset int
	Op     string // "" when the fault is not in one opcode
	Reason string
}

// Error returns "UnpicklingError: offset 12: INST: not allowed here", in the words that a Python programmer would look for.
func (e *Error) Error() string {
	if e.Op == "" {
		return "UnpicklingError: " + e.Reason
	}
	return fmt.Sprintf("UnpicklingError: offset %d: %s: %s", e.Offset, e.Op, e.Reason)
}

// Decoder reads pickles. The zero value is ready and may be used by several goroutines at once.
type Decoder struct {
	// Limits bound each pickle.
	Limits Limits
	// Words are strings that are expected, each as a boxed string: they are shared instead of allocated. It must not change while in use.
	Words map[string]any
}

// Decode reads one pickle, which must fill data, with the default limits.
func Decode(data []byte) (any, error) { return new(Decoder).Decode(data) }

// Decode reads one pickle, which must fill data. The value shares no memory with data. The error is an *Error.
func (d *Decoder) Decode(data []byte) (any, error) {
	r := reader{data: data, limits: d.Limits.orDefault(), words: d.Words}
	if len(data) > r.limits.Bytes {
		return nil, &Error{Reason: fmt.Sprintf("%d bytes, over the limit of %d", len(data), r.limits.Bytes)}
	}
	r.stack = make([]any, 0, 32)
	v := r.run()
	if r.err != nil {
		return nil, r.err
	}
	w := walk{left: r.limits.Expanded, depth: r.limits.Depth}
	if reason := w.value(v, 0); reason != "" {
		return nil, &Error{Reason: reason}
	}
	return v, nil
}

// reader is the state of one run. Its methods note the first error in err and return zero values from then on.
type reader struct {
	data   []byte
	pos    int
	opAt   int
	op     byte
	limits Limits
	words  map[string]any

	stack []any
	marks []int // heights of the stack; what is below the last one cannot be popped
	memo  []any

	objects, memory int
	err             error
}

type absent struct{} // an unused memo slot

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Offset: r.opAt, Op: opName(r.op), Reason: fmt.Sprintf(format, args...)}
	}
}

func (r *reader) run() any {
	for r.err == nil {
		r.opAt = r.pos
		if r.pos >= len(r.data) {
			r.err = &Error{Offset: r.pos, Op: "end", Reason: "pickle was truncated"}
			return nil
		}
		r.op = r.data[r.pos]
		r.pos++
		if r.op == opStop {
			return r.stop()
		}
		r.step()
	}
	return nil
}

func (r *reader) stop() any {
	v := r.pop()
	if r.err == nil && (len(r.stack) > 0 || len(r.marks) > 0) {
		r.fail("%d values and %d marks left over", len(r.stack), len(r.marks))
	}
	if r.err == nil && r.pos != len(r.data) {
		r.fail("%d bytes follow", len(r.data)-r.pos)
	}
	return v
}

func (r *reader) step() {
	switch r.op {
	case opProto:
		if p := r.uint(1); p > protocolHighest {
			r.fail("protocol %d is not known", p)
		}
	case opFrame:
		if n := r.uint(8); n > uint64(len(r.data)-r.pos) {
			r.fail("frame of %d bytes, only %d are left", n, len(r.data)-r.pos)
		}
	case opNone:
		r.push(nil)
	case opNewTrue:
		r.push(true)
	case opNewFalse:
		r.push(false)
	case opBinInt:
		r.push(int64(int32(r.uint(4))))
	case opBinInt1:
		r.push(int64(r.uint(1)))
	case opBinInt2:
		r.push(int64(r.uint(2)))
	case opLong1:
		r.long(r.uint(1))
	case opLong4:
		r.long(r.uint(4))
	case opBinFloat:
		if b := r.take(8); b != nil {
			r.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	case opShortUnicode:
		r.text(r.uint(1))
	case opBinUnicode:
		r.text(r.uint(4))
	case opBinUnicode8:
		r.text(r.uint(8))
	case opShortBinBytes:
		r.bytes(r.uint(1))
	case opBinBytes:
		r.bytes(r.uint(4))
	case opBinBytes8, opByteArray8:
		r.bytes(r.uint(8))
	default:
		r.structure()
	}
}

// structure runs the opcodes that work on the stack.
func (r *reader) structure() {
	switch r.op {
	case opEmptyTuple:
		r.push(Tuple{})
	case opTuple1:
		r.tuple(1)
	case opTuple2:
		r.tuple(2)
	case opTuple3:
		r.tuple(3)
	case opTuple:
		r.charge(containerCost)
		r.push(Tuple(r.popMark()))
	case opEmptyList:
		r.charge(containerCost)
		r.push(&List{})
	case opAppend:
		v := r.pop()
		r.extend([]any{v})
	case opAppends:
		items := r.marked()
		r.extend(items)
		r.unmark()
	case opEmptyDict:
		r.charge(containerCost)
		r.push(&Dict{})
	case opSetItem:
		v := r.pop()
		k := r.pop()
		r.update([]any{k, v})
	case opSetItems:
		items := r.marked()
		r.update(items)
		r.unmark()
	case opEmptySet:
		r.charge(containerCost)
		r.push(&Set{})
	case opAddItems:
		r.add(r.popMark())
	case opFrozenSet:
		r.charge(containerCost)
		items := r.popMark()
		r.hashable(items)
		r.push(&Set{Items: items, Frozen: true})
	case opMark:
		if len(r.marks) >= r.limits.Stack {
			r.fail("more than %d marks", r.limits.Stack)
			return
		}
		r.marks = append(r.marks, len(r.stack))
	case opPop:
		if n := len(r.marks); n > 0 && r.marks[n-1] == len(r.stack) {
			r.marks = r.marks[:n-1] // as Python does: POP on a mark takes the mark
			return
		}
		r.pop()
	case opPopMark:
		r.marked()
		r.unmark()
	case opDup:
		r.push(r.top())
	default:
		r.named()
	}
}

// named runs the opcodes that name things: memo slots, globals, classes.
func (r *reader) named() {
	switch r.op {
	case opMemoize:
		r.put(uint64(len(r.memo)))
	case opBinPut:
		r.put(r.uint(1))
	case opLongBinPut:
		r.put(r.uint(4))
	case opBinGet:
		r.get(r.uint(1))
	case opLongBinGet:
		r.get(r.uint(4))
	case opGlobal:
		module := r.line()
		name := r.line()
		r.global(module, name)
	case opStackGlobal:
		name, okName := r.pop().(string)
		module, okModule := r.pop().(string)
		if !okName || !okModule {
			r.fail("needs two strings")
		}
		r.global(module, name)
	case opReduce:
		args, ok := r.pop().(Tuple)
		callee := r.pop()
		if !ok {
			r.fail("arguments are not a tuple")
			return
		}
		r.reduce(callee, args)
	case opNewObj:
		args, ok := r.pop().(Tuple)
		r.newObject(args, nil, ok)
	case opNewObjEx:
		kwargs, okKwargs := r.pop().(*Dict)
		args, ok := r.pop().(Tuple)
		r.newObject(args, kwargs, ok && okKwargs)
	case opBuild:
		state := r.pop()
		r.build(state)
	default:
		r.fail("not allowed here")
	}
}

// take returns the next n bytes of the input, not copied.
func (r *reader) take(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if n > uint64(len(r.data)-r.pos) {
		r.fail("%d bytes wanted, only %d are left", n, len(r.data)-r.pos)
		return nil
	}
	b := r.data[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// uint reads a little-endian number of that many bytes.
func (r *reader) uint(size uint64) uint64 {
	b := r.take(size)
	var n uint64
	for _, c := range slices.Backward(b) {
		n = n<<8 | uint64(c)
	}
	return n
}

func (r *reader) charge(n int) {
	r.memory += n
	if r.memory > r.limits.Memory {
		r.fail("values take more than %d bytes", r.limits.Memory)
	}
}

func (r *reader) push(v any) {
	if r.err != nil {
		return
	}
	if r.objects++; r.objects > r.limits.Objects {
		r.fail("more than %d values", r.limits.Objects)
		return
	}
	if len(r.stack) >= r.limits.Stack {
		r.fail("more than %d values on the stack", r.limits.Stack)
		return
	}
	r.charge(itemCost)
	r.stack = append(r.stack, v)
}

func (r *reader) fence() int {
	if n := len(r.marks); n > 0 {
		return r.marks[n-1]
	}
	return 0
}

func (r *reader) pop() any {
	v := r.top()
	if r.err == nil {
		r.stack = r.stack[:len(r.stack)-1]
	}
	return v
}

func (r *reader) top() any {
	if r.err != nil {
		return nil
	}
	if len(r.stack) <= r.fence() {
		r.fail("nothing on the stack")
		return nil
	}
	return r.stack[len(r.stack)-1]
}

// marked returns the values above the last mark, in the stack's memory; unmark then drops them and the mark.
func (r *reader) marked() []any {
	if r.err == nil && len(r.marks) == 0 {
		r.fail("no mark on the stack")
	}
	if r.err != nil {
		return nil
	}
	return r.stack[r.fence():]
}

func (r *reader) unmark() {
	if r.err != nil {
		return
	}
	r.stack = r.stack[:r.fence()]
	r.marks = r.marks[:len(r.marks)-1]
}

// popMark returns the values above the last mark in memory of their own, and drops the mark.
func (r *reader) popMark() []any {
	items := r.marked()
	r.charge(itemCost * len(items))
	if r.err != nil {
		return nil
	}
	own := make([]any, len(items))
	copy(own, items)
	r.unmark()
	return own
}

func (r *reader) long(size uint64) {
	if size > longBytesMax {
		r.fail("an int of %d bytes, over the limit of %d", size, longBytesMax)
		return
	}
	b := r.take(size)
	if r.err != nil {
		return
	}
	if size <= 8 {
		n := uint64(0)
		if size > 0 && b[size-1]&0x80 != 0 {
			n = math.MaxUint64
		}
		for _, c := range slices.Backward(b) {
			n = n<<8 | uint64(c)
		}
		r.push(int64(n))
		return
	}
	r.charge(int(size))
	r.push(bigInt(b))
}

// bigInt reads a little-endian two's complement number; what fits in an int64 is one.
func bigInt(b []byte) any {
	be := make([]byte, len(b))
	for i, c := range b {
		be[len(b)-1-i] = c
	}
	n := new(big.Int).SetBytes(be)
	if be[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

func (r *reader) text(size uint64) {
	b := r.take(size)
	if r.err != nil {
		return
	}
	if len(r.words) > 0 && len(b) <= 32 {
		if w, ok := r.words[string(b)]; ok {
			r.push(w)
			return
		}
	}
	r.charge(len(b))
	s := string(b)
	if !utf8.ValidString(s) {
		var ok bool
		if s, ok = replaceSurrogates(b); !ok {
			r.fail("string is not UTF-8")
			return
		}
	}
	r.push(s)
}

// replaceSurrogates turns the lone surrogates that Python writes (surrogatepass) into U+FFFD: nothing else here could carry them.
func replaceSurrogates(b []byte) (string, bool) {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		if len(b) >= 3 && b[0] == 0xed && b[1] >= 0xa0 && b[1] <= 0xbf && b[2]&0xc0 == 0x80 {
			out = utf8.AppendRune(out, utf8.RuneError)
			b = b[3:]
			continue
		}
		c, n := utf8.DecodeRune(b)
		if c == utf8.RuneError && n == 1 {
			return "", false
		}
		out = append(out, b[:n]...)
		b = b[n:]
	}
	return string(out), true
}

func (r *reader) bytes(size uint64) {
	b := r.take(size)
	r.charge(len(b) + itemCost)
	if r.err == nil {
		r.push(bytes.Clone(b))
	}
}

func (r *reader) line() string {
	rest := r.data[r.pos:]
	at := bytes.IndexByte(rest[:min(len(rest), nameLengthMax)], '\n')
	if at < 0 {
		r.fail("a name without end")
		return ""
	}
	r.pos += at + 1
	s := string(rest[:at])
	if !utf8.ValidString(s) {
		r.fail("name is not UTF-8")
	}
	return s
}

func (r *reader) tuple(n int) {
	if r.err == nil && len(r.stack)-r.fence() < n {
		r.fail("nothing on the stack")
	}
	r.charge(containerCost + n*itemCost)
	if r.err != nil {
		return
	}
	t := make(Tuple, n)
	at := len(r.stack) - n
	copy(t, r.stack[at:])
	r.stack = r.stack[:at]
	r.push(t)
}

// below returns the value under the last mark, to which marked values go.
func (r *reader) below(marked bool) any {
	if !marked {
		return r.top()
	}
	if at := r.fence() - 1; r.err == nil && at >= 0 && (len(r.marks) < 2 || at >= r.marks[len(r.marks)-2]) {
		return r.stack[at]
	}
	r.fail("nothing on the stack")
	return nil
}

func (r *reader) extend(items []any) {
	target := r.below(r.op == opAppends)
	r.charge(itemCost * len(items))
	if r.err != nil {
		return
	}
	switch t := target.(type) {
	case *List:
		t.Items = append(t.Items, items...)
	case *Object:
		t.Items = append(t.Items, items...)
	default:
		r.fail("cannot append to %s", TypeName(t))
	}
}

func (r *reader) update(items []any) {
	target := r.below(r.op == opSetItems)
	if r.err == nil && len(items)%2 != 0 {
		r.fail("odd number of keys and values")
	}
	r.charge(itemCost * len(items))
	if r.err != nil {
		return
	}
	var pairs *[]Pair
	switch t := target.(type) {
	case *Dict:
		pairs = &t.Pairs
	case *Object:
		pairs = &t.Pairs
	default:
		r.fail("cannot set items of %s", TypeName(t))
		return
	}
	if *pairs == nil {
		*pairs = make([]Pair, 0, len(items)/2)
	}
	for i := 0; i < len(items); i += 2 {
		r.hashable(items[i : i+1])
		*pairs = append(*pairs, Pair{Key: items[i], Value: items[i+1]})
	}
}

func (r *reader) add(items []any) {
	target := r.top()
	if r.err != nil {
		return
	}
	r.hashable(items)
	s, ok := target.(*Set)
	if !ok || s.Frozen {
		r.fail("cannot add to %s", TypeName(target))
		return
	}
	s.Items = append(s.Items, items...)
}

// hashable refuses what Python refuses as a key, so that no key can contain itself.
func (r *reader) hashable(keys []any) {
	for _, k := range keys {
		switch k := k.(type) {
		case *List, *Dict:
			r.fail("unhashable type: '%s'", TypeName(k))
		case *Set:
			if !k.Frozen {
				r.fail("unhashable type: 'set'")
			}
		}
	}
}

func (r *reader) put(slot uint64) {
	v := r.top()
	if r.err != nil {
		return
	}
	if slot >= uint64(r.limits.Memo) {
		r.fail("memo slot %d, over the limit of %d", slot, r.limits.Memo)
		return
	}
	if grow := int(slot) + 1 - len(r.memo); grow > 0 {
		r.charge(grow * memoSlotCost)
		if r.err != nil {
			return
		}
		for range grow {
			r.memo = append(r.memo, absent{})
		}
	}
	r.memo[slot] = v
}

func (r *reader) get(slot uint64) {
	if r.err != nil {
		return
	}
	if slot < uint64(len(r.memo)) {
		if _, unused := r.memo[slot].(absent); !unused {
			r.push(r.memo[slot])
			return
		}
	}
	r.fail("memo slot %d is empty", slot)
}

func (r *reader) global(module, name string) {
	if r.err != nil {
		return
	}
	if module == "__builtin__" { // Python 2's name, written by protocols below 3
		module = "builtins"
	}
	r.charge(containerCost)
	r.push(&Class{Module: module, Name: name})
}

func (r *reader) newObject(args Tuple, kwargs *Dict, ok bool) {
	class, isClass := r.pop().(*Class)
	if r.err != nil {
		return
	}
	if !ok || !isClass {
		r.fail("needs a class and its arguments")
		return
	}
	r.charge(objectStructCost)
	r.push(&Object{Class: class, Args: args, Kwargs: kwargs, New: true})
}

func (r *reader) build(state any) {
	target := r.top()
	if r.err != nil {
		return
	}
	o, ok := target.(*Object)
	if !ok {
		r.fail("cannot set the state of %s", TypeName(target))
		return
	}
	old, okOld := o.State.(*Dict)
	add, okAdd := state.(*Dict)
	if !okOld || !okAdd {
		o.State = state
		return
	}
	r.charge(containerCost + itemCost*2*(len(old.Pairs)+len(add.Pairs)))
	if r.err != nil {
		return
	}
	o.State = &Dict{Pairs: append(slices.Clip(old.Pairs), add.Pairs...)}
}
