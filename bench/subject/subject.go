// Package subject builds, fills, starts and measures the servers that the benchmark compares.
package subject

import (
	"github.com/doubletap/doubletap/internal/load"
)

// Subject is one of the servers that the benchmark compares.
type Subject struct {
	Name string
	What string // its description in the report
	// Package is the Go package that is built, relative to Module.
	Package string
	Module  string // the module's folder, relative to the bench folder
	// Kind names the tables that are filled: plain, careful or doubletap. Subjects of one kind serve copies of the
	// same folder.
	Kind string
	Env  []string
	API  load.API
	Only []string // cases; empty means all
	// Without removes a technique from the program; nil for none.
	Without *Edit
}

// Edit removes a technique from the source: it replaces Old, which must be in File exactly once, by New.
type Edit struct{ Technique, File, Old, New string }

// writeCases are the cases in which durability makes a difference.
var writeCases = []string{"likes", "comment", "burst"}

// AllSubjects returns every subject. The first three are compared; the others are shown beside them if the flags ask
// for them.
func AllSubjects() []Subject {
	all := comparedSubjects()
	for _, e := range techniques {
		s := comparedSubjects()[2]
		s.Name, s.What, s.Without = "without-"+e.Technique, "Doubletap without "+e.Technique, &e
		all = append(all, s)
	}
	return all
}

// techniques are those of a like whose worth is shown by leaving one out: transactions that many likes share,
// statements that stay prepared, checkpoints beside the requests, writing back what a checkpoint copied while it
// copies more, room for garbage, tokens that are verified once, and no row in PocketBase's log.
var techniques = []Edit{
	{"grouping", "internal/batchwriter/batchwriter.go", "maxBatch     = 64 ", "maxBatch     = 1 "},
	{"preparing", "internal/db/prepared.go", "const maxPrepared = 100", "const maxPrepared = 0"},
	{"copying", "hooks/config.go", `"FULL", "80000"`, `"FULL", "1000"`},
	{"writeback", "internal/db/checkpoint.go", "writeback(data)", ""},
	{"room", "internal/gctune/gctune.go", "ballastBytes = 32 << 20", "ballastBytes = 0"},
	{"tokens", "internal/fastpath/token.go", "t.holders[token] = h", "_ = h"},
	{"silence", "hooks/fastpath.go", "return skipSuccessLog.Func(e)", "return e.Next()"},
}

func comparedSubjects() []Subject {
	return []Subject{
		{
			Name: "plain", What: "PocketBase as its documentation suggests",
			Package: "./plain", Module: ".", Kind: "plain", API: Plain,
		},
		{
			Name: "careful", What: "PocketBase as an expert writes it",
			Package: "./careful", Module: ".", Kind: "careful", API: Careful,
		},
		{
			Name: "doubletap", What: "Doubletap as it ships: synchronous=FULL",
			Package: ".", Module: "..", Kind: "doubletap", API: load.Doubletap,
		},
		{
			Name: "normal", What: "Doubletap with synchronous=NORMAL, as the others have it",
			Package: ".", Module: "..", Kind: "doubletap", API: load.Doubletap,
			Env: []string{"DOUBLETAP_DURABILITY=normal"}, Only: writeCases,
		},
		{
			Name: "general", What: "Doubletap without its fast path",
			Package: ".", Module: "..", Kind: "doubletap", API: load.Doubletap,
			Env: []string{"DOUBLETAP_FASTPATH=off"},
		},
		{
			Name: "bare", What: "the limit: net/http and SQLite with group commit, synchronous=FULL, nothing else",
			Package: "./limit", Module: ".", Kind: "careful", API: Bare,
			Env: []string{"LIMIT_SYNCHRONOUS=FULL"}, Only: []string{"likes"},
		},
		{
			Name: "bare-normal", What: "the same with synchronous=NORMAL",
			Package: "./limit", Module: ".", Kind: "careful", API: Bare,
			Env: []string{"LIMIT_SYNCHRONOUS=NORMAL"}, Only: []string{"likes"},
		},
		{
			Name: "profiled", What: "Doubletap in a program that can profile itself",
			Package: "./profiled", Module: ".", Kind: "doubletap", API: load.Doubletap,
		},
		{
			Name: "hooked", What: "Doubletap with an owner's hooks on another collection",
			Package: "./profiled", Module: ".", Kind: "doubletap", API: load.Doubletap,
			Env: []string{"BENCH_HOOKS=books"}, Only: []string{"likes-64", "feed-8"},
		},
	}
}

// FindSubject returns the subject with a name, and false if there is none.
func FindSubject(name string) (Subject, bool) {
	for _, s := range AllSubjects() {
		if s.Name == name {
			return s, true
		}
	}
	return Subject{}, false
}
