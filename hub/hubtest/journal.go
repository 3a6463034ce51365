package hubtest

import "slices"

// Journal plays a story and returns the entries that were committed in it, as the journal has them.
func Journal(story Story) ([][]byte, error) {
	w := newWorld(nil)
	err := w.play(story)
	return slices.Clone(w.journal), err
}
