package main

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/testenv"
)

// ownContexts are the functions that begin a context, or go on without the end of the one that they were given, with the
// reason. All others are given the context of a request, a job or a command, and pass it on.
var ownContexts = map[string]string{
	"hooks/address.go foldAddresses":               "at a start, which nobody can call off",
	"hooks/clock.go resumeClock":                   "at a start, which nobody can call off",
	"hooks/server.go bindServer":                   "of the checkpoints, until the service ends",
	"hooks/session.go serveSessions":               "of what stores the use of sessions, until the service ends",
	"hooks/structure.go checkRequired":             "what it finds is remembered for all who ask",
	"hooks/terminate.go bindTermination":           "the end of the service",
	"hooks/terminate.go drainService":              "the end of the service",
	"internal/batchwriter/batchwriter.go runBatch": "it has pprof's labels alone, and works for many requests",
	"internal/cli/bench_group.go deletePeople":     "it cleans up, also when interrupted",
	"internal/cli/command.go interruptible":        "of a command, until the program is asked to end",
	"internal/cli/jobs.go drainJobs":               "jobs that run end in order, also when interrupted",
	"internal/db/context.go contextOf":             "of an app that was given none",
	"internal/db/heldtx.go rollBackEnded":          "it reaches a connection and rolls back, which nothing may prevent",
	"internal/db/hold.go OnTransactionEnded":       "it reaches a connection and runs no SQL",
	"internal/db/hold.go TransactionBegan":         "it reaches a connection and runs no SQL",
	"internal/db/hold.go endTransaction":           "it reaches a connection and rolls back, which nothing may prevent",
	"internal/db/hold.go watchTransaction":         "it reaches a connection and runs no SQL",
	"internal/db/scan.go QueryRowUnmapped":         "it puts the connection back as it was",
	"internal/deliver/fcm/fcm.go New":              "of tokens that many jobs share",
	"internal/job/runner.go NewRunner":             "of jobs, until the service ends",
	"internal/job/runner.go Stop":                  "a last moment for jobs after the context's end",
	"internal/photo/heic/heic.go EnsureCompiled":   "what is compiled serves all that come later",
	"internal/photo/heic/module.go decodeSamples":  "it cleans up",
	"internal/rendition/studio.go NewStudio":       "of photos, until the service ends: many may wait for one",
	"internal/session/register.go Run":             "a last moment to store what was used, after the context's end",
	"internal/web/clientapp.go BoundStatements":    "of a write, which goes on when its client leaves",
	"internal/web/clientapp.go StatementContext":   "of a write, which goes on when its client leaves",
	"internal/web/health.go storeProbeFile":        "what it finds is remembered for all who ask",
}

// TestContextsAreHandedDown fails for work that goes on when nobody wants it any more.
func TestContextsAreHandedDown(t *testing.T) {
	found := contextsBegunIn(testenv.ParseSource(t, "."))
	for function, positions := range found {
		if ownContexts[function] == "" {
			t.Errorf("%s: take a context as a parameter, or say in ownContexts why not", strings.Join(positions, ", "))
		}
	}
	for function := range ownContexts {
		if found[function] == nil {
			t.Errorf("%s begins no context any more", function)
		}
	}
}

func TestContextChecksSeeAFault(t *testing.T) {
	for statement, want := range map[string]bool{
		"f(context.Background())": true,
		"f(context.TODO())":       true,
		"ctx, stop := context.WithCancel(context.Background())": true,
		"f(context.WithoutCancel(ctx))":                         true,
		"begin := context.Background":                           true,
		"ctx, stop := context.WithTimeout(ctx, time.Second)":    false,
		"db.Exec(app, `SELECT 'context.Background()'`, nil)":    false,
	} {
		found := contextsBegunIn(testenv.ParseFixture(t, map[string]string{"internal/feed/fixture.go": "package feed\n\nfunc fixture() {\n\t" + statement + "\n}\n"}))
		if got := found["internal/feed/fixture.go fixture"] != nil; got != want {
			t.Errorf("%s: found %v, want %v", statement, found, want)
		}
	}
	found := contextsBegunIn(testenv.ParseFixture(t, map[string]string{
		"internal/feed/fixture.go":      "package feed\n\nvar ctx = context.Background()\n",
		"internal/feed/fixture_test.go": "package feed\n\nvar other = context.Background()\n",
	}))
	if len(found) != 1 || found["internal/feed/fixture.go ctx"] == nil {
		t.Errorf("in variables: found %v", found)
	}
}

// contextsBegunIn returns where the program begins contexts that end with none, by file and declaration.
func contextsBegunIn(source *testenv.Source) map[string][]string {
	found := map[string][]string{}
	forServiceDeclarations(source, func(file, name string, declaration ast.Node) {
		for selector := range nodesOf[*ast.SelectorExpr](declaration) {
			if lastName(selector.X) != "context" {
				continue
			}
			switch selector.Sel.Name {
			case "Background", "TODO", "WithoutCancel":
				found[file+" "+name] = append(found[file+" "+name], source.Position(selector))
			}
		}
	})
	return found
}
