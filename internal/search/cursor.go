package search

import (
	"math"
	"strconv"
	"strings"
)

// cursor is where a page begins: at the places in the index before one of them, without those that a first page in
// another order has shown already.
type cursor struct {
	before int64
	shown  []int64
}

// maxShownPlaces is how many numbers a cursor may have: the place and those that were shown.
const maxShownPlaces = 200

// parseCursor reads what String wrote; an empty text is the beginning.
func parseCursor(text string) (cursor, error) {
	at := cursor{before: math.MaxInt64}
	if text == "" {
		return at, nil
	}
	for i, part := range strings.SplitN(text, ".", maxShownPlaces+1) {
		n, err := strconv.ParseInt(part, 36, 64)
		switch {
		case err != nil || n < 0 || i == maxShownPlaces:
			return cursor{}, ErrCursor
		case i > 0:
			at.shown = append(at.shown, n)
		case n > 0:
			at.before = n
		}
	}
	return at, nil
}

// String returns the cursor as a client gets it, in base 36: the place, or 0 for the beginning, and the places that
// were shown.
func (c cursor) String() string {
	before := c.before
	if before == math.MaxInt64 {
		before = 0
	}
	text := strconv.FormatInt(before, 36)
	for _, n := range c.shown {
		text += "." + strconv.FormatInt(n, 36)
	}
	return text
}
