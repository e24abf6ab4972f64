package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/gctune"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// The states of a Finding. A warning is about something that works but should be known.
const (
	StateOK   = "ok"
	StateWarn = "warn"
	StateFail = "FAIL"
)

// Finding is what one check found: how many things are wrong, and which. A check is a group of invariants.
type Finding struct {
	Check  string `json:"check"`
	State  string `json:"state"`
	Count  int    `json:"count"`
	Detail string `json:"detail"`
}

// checkOrder is the order in which the checks are reported.
var checkOrder = []string{
	"integrity", "migrations", "collections", "rules", "triggers", "moments", "relations", "indexes", "addresses", "accounts", "keys", "edges", "settings",
	"posts", "comments", "tags", "search", "missing", "notifications", "counters", "queue", "handles", "files", "photos", "jobs", "superusers", "address", "mail", "encryption", "folder", "paths",
}

// Invariants returns all invariants of a data folder, in the order in which repairs build on each other: triggers count
// what later repairs delete. If migrations are not applied, it returns only those that can be checked without them.
func Invariants(app core.App) ([]*reconcile.Invariant, error) {
	all := folderInvariants()
	f := &reconcile.Problems{}
	if err := checkMigrations(app, f); err != nil || f.Failed > 0 {
		return slices.DeleteFunc(all, func(i *reconcile.Invariant) bool { return slices.Contains(needCollections, i.Name) }), nil //nolint:nilerr // the check of the migrations says so itself
	}
	rows, err := reconcile.RowInvariants(app)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(i *reconcile.Invariant) bool { return i.Name == "files" })
	return slices.Concat(all[:at], rows, photoInvariants(), all[at:]), nil
}

// needCollections are the names of the invariants that cannot be checked before the migrations are applied.
var needCollections = []string{"collections", "rules", "triggers", "indexes", "addresses", "files", "jobs", "paths"}

// folderInvariants returns the invariants of a folder that are not about rows.
func folderInvariants() []*reconcile.Invariant {
	about := func(name, holds, whyNotRepaired string, inspect func(app core.App, f *reconcile.Problems) error) *reconcile.Invariant {
		return &reconcile.Invariant{Check: name, Name: name, Holds: holds, Cost: reconcile.DoctorOnly, WhyNotRepaired: whyNotRepaired, Inspect: inspect}
	}
	repaired := func(i *reconcile.Invariant, cost reconcile.Cost, mend func(context.Context, core.App) (int64, error)) *reconcile.Invariant {
		i.Cost, i.MendAll = cost, mend
		return i
	}
	structural := func(i *reconcile.Invariant) *reconcile.Invariant { i.Cost = reconcile.Hourly; return i }
	return []*reconcile.Invariant{
		about("integrity", "The databases are what SQLite wrote.", "restore a backup, or have sqlite3's .recover save what it can", checkIntegrity),
		about("migrations", "All steps are applied.", "the next serve applies them", checkMigrations),
		structural(about("collections", "Collections and fields are there, and hidden where they ship hidden.", "an owner may have meant it", checkCollections)),
		structural(about("rules", "Rules are those that ship.", "an owner may have meant it", checkRules)),
		repaired(about("triggers", "Triggers are those that ship.", "", checkObjects("trigger")), reconcile.Hourly, repairObjects("trigger")),
		repaired(about("indexes", "Indexes are those that ship.", "", checkObjects("index")), reconcile.Hourly, repairObjects("index")),
		repaired(about("addresses", "An e-mail address is one account's, in one spelling.", "", checkAddresses), reconcile.DoctorOnly, foldAddresses),
		about("files", "A record's files are there, and each file is a record's.", "a file that is lost is nowhere else, and one without a record may be somebody's only copy", checkFiles),
		about("jobs", "No job is dead, and none waits for long.", "retry or delete them in the dashboard", checkJobs),
		about("superusers", "Somebody can come into the dashboard.", "superuser create, or DOUBLETAP_SUPERUSER", checkSuperusers),
		about("address", "The application URL is where the service is reached.", "the settings name it", checkAppURL),
		about("mail", "Mail can leave.", "the settings name an SMTP server", checkMail),
		about("encryption", "The settings are encrypted.", "PB_ENCRYPTION_KEY", checkEncryption),
		about("folder", "The folder is the service's alone.", "chmod, or give it to the user who serves it", checkFolder),
		about("paths", "No owner's hook keeps likes or the commonest reads from the fast path.", "an owner may have meant it", checkPaths),
	}
}

// groupFindings groups the results of an examination by check, in the order of checkOrder.
func groupFindings(results []*reconcile.Result) (all []Finding) {
	byCheck := map[string]*Finding{}
	notes := map[string][]string{}
	for _, r := range results {
		f := byCheck[r.Check]
		if f == nil {
			f = &Finding{Check: r.Check, State: StateOK}
			byCheck[r.Check] = f
		}
		switch {
		case r.Err != nil:
			f.State = StateFail
			f.Count++
		case !r.IsBroken():
			notes[r.Check] = append(notes[r.Check], r.Notes...)
			continue
		case !r.Warned && !r.Warns:
			f.State = StateFail
		case f.State == StateOK:
			f.State = StateWarn
		}
		f.Count += r.Count
		if r.Inspect != nil && r.Err == nil {
			notes[r.Check] = append(notes[r.Check], r.Notes...)
		} else {
			notes[r.Check] = append(notes[r.Check], r.Detail())
		}
	}
	for _, check := range checkOrder {
		if f := byCheck[check]; f != nil {
			f.Detail = joinFirstNotes(notes[check])
			all = append(all, *f)
		}
	}
	return all
}

// joinFirstNotes joins the first 8 notes, and says how many more there are.
func joinFirstNotes(notes []string) string {
	const shown = 8
	if more := len(notes) - shown; more > 0 {
		notes = append(slices.Clip(notes[:shown]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(notes, "; ")
}

// Examine checks all invariants and changes nothing. It may run beside a server on the same folder.
func Examine(ctx context.Context, app core.App, options reconcile.ExamineOptions) ([]Finding, error) {
	all, err := Invariants(app)
	if err != nil {
		return nil, err
	}
	defer gctune.CollectRarely()() // some 4 % less CPU, for some 10 MB
	return groupFindings(reconcile.Examine(ctx, app, all, options)), nil
}

// Repair repairs what needs no decision, in short transactions so that a server beside it can write, and checks again.
// It returns how many rows it mended, by check, and what is still wrong. After a failure it continues with the other
// repairs; the error joins all failures.
func Repair(ctx context.Context, app core.App, options reconcile.ExamineOptions) (done map[string]int64, left []Finding, err error) {
	f := &reconcile.Problems{}
	if err := checkMigrations(app, f); err != nil {
		return nil, nil, fmt.Errorf("repair: %w", err)
	}
	if f.Failed > 0 {
		return nil, nil, errors.New("repair: " + strings.Join(f.Notes, "; "))
	}
	if _, err := shippedSchema(); err != nil {
		return nil, nil, err
	}
	all, err := Invariants(app)
	if err != nil {
		return nil, nil, err
	}
	var failures []error
	done = map[string]int64{}
	results := reconcile.RepairAll(ctx, app, all, options, func(r *reconcile.Result, mended int64, err error) {
		if mended > 0 {
			done[r.Check] += mended
		}
		if err != nil {
			failures = append(failures, err)
		}
	})
	return done, groupFindings(results), errors.Join(failures...)
}
