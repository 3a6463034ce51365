// Package pickle reads and writes the part of Python's pickle format that plain data needs: protocols 2 to 5, without ever running anything.
//
// A pickle is a program that may name any callable. This package calls none. The few that only carry data (datetime, ZoneInfo, pytz, set, bytes,
// numpy scalars, pandas timestamps) are recognised by name and become values; every other class or call becomes an Object that remembers
// its name, arguments and state, and does nothing. What the program may cost is bounded by Limits, including what becomes large only when it is
// walked: a list that is put into a list ten times, ten times over.
//
// Values are nil, bool, int64, *big.Int (beyond int64), float64, string, []byte, *List, Tuple, *Dict, *Set, *Class, *Object, DateTime,
// Date, Clock, Delta and *Zone. A value may contain itself, as in Python; Repr and Append know that, and so must whoever walks one.
//
// The package knows nothing of VeighNa, and refuses protocols 0 and 1, persistent ids, extension codes and out-of-band buffers.
package pickle
