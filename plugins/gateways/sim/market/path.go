package market

import "math"

// Path is the price that strangers think right, at any instant of past and future: a function of its seed and the time and of nothing else, so that the
// history of a contract, its market now, and its market after the next start are pieces of one line.
//
// It is noise in octaves. Each has values on a lattice in time, a smooth line through them, and a quarter of the length and half of the height of
// the octave before: that is how far a random walk goes in such times, but any point of it is found at once, and it does not leave its base for good.
type Path struct {
	seed   uint64
	base   float64
	height float64 // of the octave of one day
	shift  float64
}

const (
	daySeconds = 24 * 60 * 60
	// The longest octave is 256 days, the shortest 21 s.
	octaves        = 11
	longestSeconds = 256 * daySeconds
	longestHeight  = 16 // times the height of one day
)

// NewPath returns a path that is at base at the anchor, with a volatility of one day such as 0.012.
func NewPath(seed uint64, base, dayVolatility float64, anchor int64) *Path {
	p := &Path{seed: seed, base: base, height: dayVolatility}
	p.shift = p.noise(anchor)
	return p
}

// At returns the price at an instant in nanoseconds since 1970.
func (p *Path) At(nanos int64) float64 {
	if p.height == 0 {
		return p.base
	}
	return p.base * math.Exp(p.noise(nanos)-p.shift)
}

func (p *Path) noise(nanos int64) float64 {
	seconds := float64(nanos) / 1e9
	length, height, sum := float64(longestSeconds), p.height*longestHeight, 0.0
	for octave := range uint64(octaves) {
		whole, part := math.Modf(seconds / length)
		if part < 0 { // before 1970
			whole, part = whole-1, part+1
		}
		i := int64(whole)
		a, b := p.lattice(octave, i), p.lattice(octave, i+1)
		smooth := part * part * (3 - 2*part)
		// Conversions keep the compiler from fusing, so that every machine draws the same line.
		sum += float64(height * (a + float64((b-a)*smooth)))
		length, height = length/4, height/2
	}
	return sum
}

// lattice returns a number in [-1, 1).
func (p *Path) lattice(octave uint64, i int64) float64 {
	return float64(int64(Hash(p.seed, octave, uint64(i)))) / (1 << 63)
}

// Hash mixes numbers into one that looks random: the same ones into the same one, for good.
func Hash(numbers ...uint64) uint64 {
	var h uint64
	for _, n := range numbers {
		h = (h ^ n) + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// HashText is Hash for a name.
func HashText(seed uint64, text string) uint64 {
	h := Hash(seed)
	for _, b := range []byte(text) {
		h = Hash(h, uint64(b))
	}
	return h
}
