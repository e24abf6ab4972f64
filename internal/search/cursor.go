package search

import (
	"math"
	"strconv"
	"strings"
)

// cursor is where a page begins: at the places before one, without those that were shown on a first page in
// another order.
type cursor struct {
	before int64
	shown  []int64
}

// maxShownPlaces is how many places a cursor may name.
const maxShownPlaces = 200

// parseCursor reads what String wrote, and an empty text as the beginning.
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

// String is the cursor as it is given to a client: 0, or the place, and the places that were shown.
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
