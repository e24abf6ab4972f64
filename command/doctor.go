package command

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/reconcile"
)

// The states of a Finding. A warning is about something that works but should be known.
const (
	OK   = "ok"
	Warn = "warn"
	Fail = "FAIL"
)

// Finding is what one check found: how many things are wrong, and which.
type Finding struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Count  int    `json:"count"`
	Detail string `json:"detail"`
}

// check looks at one thing and, where it can be put right without a person to decide, does so.
type check struct {
	name   string
	data   bool // needs the collections
	look   func(app core.App, f *reconcile.Found) error
	repair func(tx core.App) (int64, error)
}

// checks are in the order in which repairs build on each other: triggers count what later repairs
// delete, and counters come after everything that they count.
var checks = []check{
	{name: "integrity", look: lookIntegrity},
	{name: "migrations", look: lookMigrations},
	{name: "collections", data: true, look: lookCollections},
	{name: "rules", data: true, look: lookRules},
	{name: "triggers", data: true, look: lookObjects("trigger"), repair: repairObjects("trigger")},
	reconciled(reconcile.Moments),
	reconciled(reconcile.Relations),
	{name: "indexes", data: true, look: lookObjects("index"), repair: repairObjects("index")},
	{name: "addresses", data: true, look: lookAddresses, repair: foldAddresses},
	{name: "keys", data: true, look: lookKeys, repair: moveToKeys},
	reconciled(reconcile.Settings),
	reconciled(reconcile.Missing),
	reconciled(reconcile.Notifications),
	reconciled(reconcile.Feed),
	reconciled(reconcile.Counters),
	{name: "files", data: true, look: lookFiles},
	{name: "photos", data: true, look: lookPhotos, repair: repairPhotos},
	{name: "jobs", data: true, look: lookJobs},
	{name: "superusers", look: lookSuperusers},
	{name: "address", look: lookAppURL},
	{name: "mail", look: lookMail},
	{name: "encryption", look: lookEncryption},
	{name: "folder", look: lookFolder},
}

// finding is what a check found, for people.
func finding(name string, f *reconcile.Found) Finding {
	state := OK
	switch {
	case f.Failed > 0:
		state = Fail
	case f.Warned > 0:
		state = Warn
	}
	const shown = 8
	notes := f.Notes
	if more := len(notes) - shown; more > 0 {
		notes = append(slices.Clip(notes[:shown]), fmt.Sprintf("and %d more", more))
	}
	return Finding{Check: name, State: state, Count: f.Failed + f.Warned, Detail: strings.Join(notes, "; ")}
}

// reconciled is a check that a server makes too.
func reconciled(c reconcile.Check) check {
	return check{name: c.Name, data: true, look: c.Look, repair: c.Repair}
}

// Examine runs all checks, one after the other, and changes nothing. It may run beside a server on the same folder.
func Examine(app core.App) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		behind := false
		for _, c := range checks {
			if behind && c.data {
				continue
			}
			f := &reconcile.Found{}
			if err := c.look(app, f); err != nil {
				f.Fail(1, "could not look: %v", err)
			}
			behind = behind || (c.name == "migrations" && f.Failed > 0)
			if !yield(finding(c.name, f)) {
				return
			}
		}
	}
}

// Repair puts right, in one transaction, what needs nobody to decide, and returns what it did, by check.
func Repair(app core.App) (done map[string]int64, err error) {
	f := &reconcile.Found{}
	if err := lookMigrations(app, f); err != nil {
		return nil, fmt.Errorf("repair: %w", err)
	}
	if f.Failed > 0 {
		return nil, errors.New("repair: " + finding("migrations", f).Detail)
	}
	if _, err := ships(); err != nil {
		return nil, err
	}
	done = map[string]int64{}
	err = locked(app, func(tx core.App) error {
		for _, c := range checks {
			if c.repair == nil {
				continue
			}
			n, err := c.repair(tx)
			if err != nil {
				return fmt.Errorf("repair %s: %w", c.name, err)
			}
			if n > 0 {
				done[c.name] = n
			}
		}
		return nil
	})
	return done, err
}
