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

func looksLike(handle string, names []string) bool { return NewReservedNames(names).Contain(handle) }

// ReservedNames are the service's own names, prepared for comparing many handles with them.
type ReservedNames struct {
	all   map[string]bool // skeletons
	words map[string]bool // of those that a handle of nothing but letters can look like
	ends  map[string]bool // by skeleton, whether it is long enough to be one of two in a handle
}

// NewReservedNames prepares the names.
func NewReservedNames(names []string) *ReservedNames {
	r := &ReservedNames{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, name := range names {
		skeleton := handleSkeleton(name)
		r.all[skeleton] = true
		if onlyLetters(name) && len(name) >= fewestInWord {
			r.words[skeleton] = true
		}
		r.ends[skeleton] = len(name) >= fewestInTwo
	}
	return r
}

// Contain reports whether a handle is one of the names for the eye, or two and more of them together.
func (r *ReservedNames) Contain(handle string) bool {
	seen := handleSkeleton(handle)
	if r.words[seen] || r.all[seen] && !onlyLetters(handle) {
		return true
	}
	for begin, long := range r.ends { // doubletapteam
		if end, ok := strings.CutPrefix(seen, begin); ok && long && r.ends[end] {
			return true
		}
	}
	parts := strings.FieldsFunc(handle, func(r rune) bool { return r == '.' || r == '_' })
	for _, part := range parts { // doubletap_mod
		if _, known := r.ends[handleSkeleton(part)]; !known {
			return false
		}
	}
	return len(parts) > 1
}

func onlyLetters(handle string) bool {
	return !strings.ContainsFunc(strings.ToLower(handle), func(r rune) bool { return r < 'a' || r > 'z' })
}
