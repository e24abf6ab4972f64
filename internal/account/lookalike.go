package account

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// The few characters of handles that can be taken for others: separators are not noticed, digits stand for letters, and
// some pairs of letters read as one.
var (
	withoutSeparators = strings.NewReplacer(".", "", "_", "", "0", "o", "1", "l", "i", "l", "3", "e", "4", "a", "5", "s", "7", "t")
	readAsOne         = strings.NewReplacer("rn", "m", "vv", "w", "cl", "d")
)

// handleSkeleton returns what the eye sees of a handle: handles with the same skeleton look alike.
func handleSkeleton(handle string) string {
	return readAsOne.Replace(withoutSeparators.Replace(strings.ToLower(handle)))
}

// The fewest letters of a reserved name that a handle of nothing but letters can look like, and of two that are one handle. What is
// shorter is a word of somebody's language sooner than a disguise: apl is none of api, nor is tagteam one of tag and team.
const (
	fewestInWord = 5
	fewestInTwo  = 4
)

// looksReserved reports whether a handle is one of the service's own names for the eye, or two and more of them together. Names that
// people gave up are kept as they are written.
func looksReserved(tx core.App, handle string) (bool, error) {
	var names []string
	if err := db.QueryColumn(tx, &names, `SELECT name FROM handles WHERE reason = 'reserved'`, nil); err != nil {
		return false, fmt.Errorf("find reserved names that look like %s: %w", handle, err)
	}
	return looksLike(handle, names), nil
}

func looksLike(handle string, names []string) bool {
	reserved := map[string]bool{} // skeletons
	isWord := onlyLetters(handle)
	for _, name := range names {
		if !isWord || onlyLetters(name) && len(name) >= fewestInWord {
			reserved[handleSkeleton(name)] = true
		}
	}
	if reserved[handleSkeleton(handle)] {
		return true
	}
	seen, ends := handleSkeleton(handle), map[string]bool{}
	for _, name := range names {
		ends[handleSkeleton(name)] = len(name) >= fewestInTwo
	}
	for begin, long := range ends { // doubletapteam
		if end, ok := strings.CutPrefix(seen, begin); ok && long && ends[end] {
			return true
		}
	}
	parts := strings.FieldsFunc(handle, func(r rune) bool { return r == '.' || r == '_' })
	for _, part := range parts { // doubletap_mod
		if _, known := ends[handleSkeleton(part)]; !known {
			return false
		}
	}
	return len(parts) > 1
}

func onlyLetters(handle string) bool {
	return !strings.ContainsFunc(strings.ToLower(handle), func(r rune) bool { return r < 'a' || r > 'z' })
}
