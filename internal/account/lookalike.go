package account

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// What handles are made of leaves few letters that are taken for others: what separates is not seen, digits stand for letters,
// and some pairs read as one letter.
var (
	withoutSeparators = strings.NewReplacer(".", "", "_", "", "0", "o", "1", "l", "i", "l", "3", "e", "4", "a", "5", "s", "7", "t")
	readAsOne         = strings.NewReplacer("rn", "m", "vv", "w", "cl", "d")
)

// skeleton returns what is left of a handle for the eye: handles with the same one look alike.
func skeleton(handle string) string {
	return readAsOne.Replace(withoutSeparators.Replace(strings.ToLower(handle)))
}

// looksReserved reports whether a handle is one of the service's own names for the eye. Names that people gave up are kept as
// they are written.
func looksReserved(tx core.App, handle string) (bool, error) {
	var names []string
	if err := db.Column(tx, &names, `SELECT name FROM handles WHERE reason = 'reserved'`, nil); err != nil {
		return false, fmt.Errorf("find reserved names that look like %s: %w", handle, err)
	}
	seen := skeleton(handle)
	for _, name := range names {
		if skeleton(name) == seen {
			return true, nil
		}
	}
	return false, nil
}
