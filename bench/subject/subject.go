// Package subject builds, fills, starts and watches the servers that the benchmark compares.
package subject

import (
	"doubletap/bench/load"
)

// Subject is one side of the comparison.
type Subject struct {
	Name string
	What string // for the report
	// Package is what is built, relative to Module.
	Package string
	Module  string // folder of the module, relative to the bench folder
	// Kind names the tables that are filled: plain, careful or doubletap. Subjects of a kind are served
	// copies of the same folder.
	Kind string
	Env  []string
	API  load.API
	Only []string // cases; empty means all
	// Without is a technique that the program is built without, or nil.
	Without *Edit
}

// Edit takes a technique out of the source: Old, which stands in File once, gives way to New.
type Edit struct{ Technique, File, Old, New string }

// writeCases are the cases in which durability shows.
var writeCases = []string{"likes", "comment", "burst"}

// AllSubjects returns every subject. The first three are what is compared; the others stand beside them when asked for.
func AllSubjects() []Subject {
	all := comparedSubjects()
	for _, e := range techniques {
		s := comparedSubjects()[2]
		s.Name, s.What, s.Without = "without-"+e.Technique, "Doubletap without "+e.Technique, &e
		all = append(all, s)
	}
	return all
}

// techniques are those of a like whose worth can be shown by leaving one out: transactions that many share, statements kept
// prepared, copying the log beside the requests, writing what was copied while more is, room for garbage, tokens that are
// verified once, and no row in PocketBase's log.
var techniques = []Edit{
	{"grouping", "internal/writer/writer.go", "maxBatch     = 64 ", "maxBatch     = 1 "},
	{"preparing", "internal/db/prepared.go", "const maxPrepared = 100", "const maxPrepared = 0"},
	{"copying", "hooks/config.go", `"FULL", "80000"`, `"FULL", "1000"`},
	{"writeback", "internal/db/checkpoint.go", "writeback(data)", ""},
	{"room", "internal/heap/heap.go", "ballastBytes = 32 << 20", "ballastBytes = 0"},
	{"tokens", "hooks/token.go", "t.holders[token] = h", "_ = h"},
	{"silence", "hooks/token.go", "return skipSuccessLog.Func(e)", "return e.Next()"},
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
	}
}

// FindSubject returns the subject of a name.
func FindSubject(name string) (Subject, bool) {
	for _, s := range AllSubjects() {
		if s.Name == name {
			return s, true
		}
	}
	return Subject{}, false
}
