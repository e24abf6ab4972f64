package fastpath

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Path says which path requests of a kind take, as far as that is known before one is sent: a caller, a query, a
// changed rule or field, or a rate limit may still take one off the fast path.
type Path struct {
	Requests string   // such as likes
	Reasons  []string // the owner's hooks that only the general path runs
	IsOff    bool     // whether they take the general path in any case
}

// IsFast reports whether nothing is known that takes the requests off the fast path.
func (p Path) IsFast() bool { return !p.IsOff && len(p.Reasons) == 0 }

// String returns the path, and the hooks that are why.
func (p Path) String() string {
	switch {
	case p.IsFast():
		return "fast"
	case len(p.Reasons) == 0:
		return "general"
	}
	return "general, because of " + strings.Join(p.Reasons, ", ")
}

const pathsKey = "doubletap.paths"

// SetPaths has DescribePaths return for the app what a function returns.
func SetPaths(app core.App, describe func() ([]Path, error)) { app.Store().Set(pathsKey, describe) }

// DescribePaths returns which path requests take, or nothing for an app in which no fast path is bound.
func DescribePaths(app core.App) ([]Path, error) {
	describe, bound := app.Store().Get(pathsKey).(func() ([]Path, error))
	if !bound {
		return nil, nil
	}
	return describe()
}
