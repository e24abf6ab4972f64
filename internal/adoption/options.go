// Package adoption makes a PocketBase app that has users already into one with Doubletap, and loosens nothing by it:
// its rules and options are kept and ours added to them, and values that mean something else to the app are mapped as
// its owner says, or refused before anything changes.
//
// It is two migrations around all others of ours. The first examines the app, refuses what clashes, all in one error,
// and remembers what is there. The last puts back together what the app had and what the steps between made of it.
package adoption

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// Options are what an owner decides about the adoption of an app; hooks.Adoption documents them.
type Options struct {
	Handle func(user *core.Record) string
	Role   map[string]string
	State  map[string]string
	Same   []string
	Public []string
}

const optionsKey = "doubletap.adoption.options"

// Decide sets what the app's owner decides. Call it before the migrations run.
func Decide(app core.App, o Options) { app.Store().Set(optionsKey, o) }

func decided(app core.App) Options {
	o, _ := app.Store().Get(optionsKey).(Options)
	return o
}

// isSame reports whether the owner says that a field of users means what ours of this name means.
func (o Options) isSame(field string) bool { return slices.Contains(o.Same, field) }

// valueField is a field of ours whose values mean something to the service, and the values that an owner may map to.
type valueField struct {
	name    string
	option  string // the name of its map in Options
	targets []string
	mapping func(Options) map[string]string
}

var valueFields = []valueField{
	{"role", "Role", []string{"member", "moderator"}, func(o Options) map[string]string { return o.Role }},
	{"state", "State", []string{"active", "suspended"}, func(o Options) map[string]string { return o.State }},
}
