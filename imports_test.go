package main

import (
	"fmt"
	"go/ast"
	"os"
	"os/exec"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/testenv"
)

const modulePath = "github.com/doubletap/doubletap"

// layers are our packages from the lowest up: a package may import packages of lower layers, and none of its own or a
// higher one. docs/architecture.md draws the same picture.
var layers = [][]string{
	{"internal/collection", "internal/background", "internal/hookscope"},
	{"internal/clock", "internal/fault", "internal/edgeid", "internal/datafolder", "internal/gctune", "internal/setup", "internal/testenv", "internal/words", "internal/words/wordstest", "internal/metrics", "internal/db/dbtest", "migrations", "pb_public"},
	{"internal/db"},
	{"internal/photo/plane", "internal/photo/heif"},
	{"internal/photo/door", "internal/photo/baseline"},
	{"internal/photo", "internal/photo/heic", "internal/photo/phototest"},
	{"internal/rendition"},
	{"internal/visibility", "internal/batchwriter", "internal/job", "internal/account", "internal/guard", "internal/limit", "internal/mention", "internal/idempotency"},
	{"internal/sweep", "internal/adoption"},
	{"internal/search", "internal/session"},
	{"internal/post", "internal/comment", "internal/graph", "internal/story"},
	{"internal/deliver/outbound", "internal/deliver/secret", "internal/deliver/phrases"},
	{"internal/deliver/push", "internal/deliver/mail", "internal/deliver/webhook", "internal/deliver/delivertest"},
	{"internal/deliver/webpush", "internal/deliver/apns", "internal/deliver/fcm"},
	{"internal/deliver"},
	{"internal/inbox", "internal/listing", "internal/sharepage"},
	{"internal/fastpath", "internal/feed", "internal/notification"},
	{"internal/effect"},
	{"internal/erase", "internal/retention", "internal/moderation", "internal/apidoc", "internal/insight"},
	{"internal/web"},
	{"internal/reconcile"},
	{"internal/demo", "internal/load"},
	{"internal/cli"},
	{"hooks"},
	{"hooks/hookstest"},
	{""},
}

// testKits are the packages that are for tests alone. Tests of every layer may use them, and nothing else may.
var testKits = []string{
	"hooks/hookstest", "internal/testenv", "internal/db/dbtest", "internal/words/wordstest", "internal/photo/phototest", "internal/deliver/delivertest",
}

// besideFolders are the folders beside the product, with what they may use of ours; a name that ends with a slash
// stands for all that is in the folder.
var besideFolders = map[string][]string{
	"examples/":     {"hooks", "hooks/hookstest"}, // what is public, as an owner's program
	"bench/":        {"bench/", "hooks", "internal/load"},
	"bench/doctor/": {"bench/", "hooks", "internal/"}, // which measures what is inside
	"tests/":        {"tests/", "hooks", "internal/collection"},
}

// upwardTests are packages whose tests may use one above theirs: the commands are tried with the whole product.
var upwardTests = map[string]string{"internal/cli": "hooks"}

// forbiddenImports are the packages that a part of ours must not use.
var forbiddenImports = map[string]struct {
	paths  []string
	except []string
}{
	// HTTP stays in hooks; the inbox speaks PocketBase's realtime, the commands serve, and web is HTTP
	"internal/": {paths: []string{"github.com/pocketbase/pocketbase/apis", "github.com/spf13/cobra"}, except: []string{"internal/inbox", "internal/cli", "internal/web"}},
	// an old step must still mean what it meant
	"migrations": {paths: []string{modulePath + "/"}},
}

// binders are the packages in internal/ that may bind events: a command adds what belongs to its own run.
var binders = []string{"internal/cli"}

func TestImportsPointDown(t *testing.T) {
	for _, fault := range importFaults(testenv.ParseSource(t, ".")) {
		t.Error(fault)
	}
	for _, name := range slices.Concat(layers...) {
		if files, err := os.ReadDir("./" + name); err != nil || !slices.ContainsFunc(files, func(file os.DirEntry) bool { return strings.HasSuffix(file.Name(), ".go") }) {
			t.Errorf("layer package %q has no files", name)
		}
	}
}

// TestOnlyHooksBinds keeps what happens (internal) apart from when it happens (hooks).
func TestOnlyHooksBinds(t *testing.T) {
	for _, fault := range bindingFaults(testenv.ParseSource(t, "internal")) {
		t.Error(fault)
	}
}

// TestTheArchitectureNamesEveryPackage compares the picture in docs/architecture.md with the packages that there are.
func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	listed, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range pictureFaults(readFile(t, "docs/architecture.md"), strings.Fields(string(listed))) {
		t.Error(fault)
	}
}

// TestArchitectureChecksSeeAFault gives each check of this file something to find, and something to leave alone.
func TestArchitectureChecksSeeAFault(t *testing.T) {
	imports := func(paths ...string) string {
		return "package fixture\n\nimport (\n\t_ \"" + strings.Join(paths, "\"\n\t_ \"") + "\"\n)\n"
	}
	for file, want := range map[string]struct {
		imported string
		fault    string // "" for none
	}{
		"internal/db/fixture.go":               {modulePath + "/internal/feed", "not below"},
		"internal/feed/fixture.go":             {modulePath + "/internal/db", ""},
		"internal/db/fixture_test.go":          {modulePath + "/internal/feed", "not below"},
		"internal/feed/fixture_test.go":        {modulePath + "/hooks/hookstest", ""},
		"internal/deliver/fixture.go":          {modulePath + "/internal/testenv", "for tests"},
		"internal/guard/fixture.go":            {"github.com/pocketbase/pocketbase/apis", "must not"},
		"internal/unheard/fixture.go":          {"fmt", "on no layer"},
		"internal/unheard/fixture_test.go":     {"fmt", "on no layer"},
		"elsewhere/fixture.go":                 {"fmt", "on no layer"},
		"internal/sweep/fixture.go":            {modulePath + "/internal/unheard", "on no layer"},
		"hooks/fixture.go":                     {modulePath + "/bench/world", "on no layer"},
		"migrations/fixture.go":                {modulePath + "/internal/edgeid", "must not"},
		"examples/owner/fixture.go":            {modulePath + "/internal/db", "not for"},
		"examples/owner/fixture_test.go":       {modulePath + "/hooks/hookstest", ""},
		"bench/world/fixture.go":               {modulePath + "/internal/db", "not for"},
		"bench/world/another.go":               {modulePath + "/bench/report", ""},
		"tests/gate/testdata/src/a/fixture.go": {modulePath + "/internal/db", ""}, // read by a checker, and never built
		"internal/cli/fixture_test.go":         {modulePath + "/hooks", ""},
		"internal/edgeid/fixture.go":           {modulePath + "/internal/edgeid", "not below"},
	} {
		checkFault(t, file, importFaults(testenv.ParseFixture(t, map[string]string{file: imports(want.imported)})), want.fault)
	}

	for statement, want := range map[string]string{
		`app.OnServe().BindFunc(nil)`:                         "OnServe",
		"app.\n\t\tOnServe().\n\t\tBindFunc(nil)":             "OnServe",
		`served := app.OnServe(); served.BindFunc(nil)`:       "OnServe",
		`bind(app.OnServe)`:                                   "OnServe",
		`core.App.OnRecordCreate(app, "posts").BindFunc(nil)`: "OnRecordCreate",
		`app.Cron().MustAdd("x", "* * * * *", nil)`:           "Cron",
		`if app.OnServe().Length() > 0 { return }`:            "",
		`app.OnServe().Trigger(nil)`:                          "",
		`tx.OnComplete(func(error) error { return nil })`:     "",
		`_ = "app.OnServe().BindFunc"`:                        "",
	} {
		source := testenv.ParseFixture(t, map[string]string{"internal/feed/fixture.go": "package feed\n\nfunc fixture() {\n\t" + statement + "\n}\n"})
		checkFault(t, statement, bindingFaults(source), want)
	}

	const page = "```\nmain.go  the program\nhooks/  when\ninternal/  what, as in gone/ or so\n  post/ feed/  words\n```\n"
	for listed, want := range map[string]string{"": "", "/internal/mail": "internal/mail", "/internal/post/photo": "", "/elsewhere": "elsewhere"} {
		packages := []string{modulePath, modulePath + "/hooks", modulePath + "/internal/post", modulePath + "/internal/feed", modulePath + listed}
		checkFault(t, "with"+listed, pictureFaults(page, packages), want)
	}
	checkFault(t, "a package gone", pictureFaults(page, []string{modulePath, modulePath + "/hooks", modulePath + "/internal/post"}), "internal/feed")
}

// TestEachCheckOfTheSourceIsShownAFault fails for a test that looks at the source and that nothing made red: it may look
// in the wrong place.
func TestEachCheckOfTheSourceIsShownAFault(t *testing.T) {
	for _, file := range blindChecks(testenv.ParseSource(t, ".")) {
		t.Errorf("%s looks at the source: give it a fixture with a fault (testenv.ParseFixture)", file)
	}
	blind := blindChecks(testenv.ParseFixture(t, map[string]string{
		"blind_test.go":   "package main\n\nfunc TestA(t *testing.T) { testenv.ParseSource(t, \".\") }\n",
		"other_test.go":   "package main\n\nfunc TestB(t *testing.T) { parser.ParseFile(files, name, nil, 0) }\n",
		"checked_test.go": "package main\n\nfunc TestC(t *testing.T) { testenv.ParseSource(t, \".\"); testenv.ParseFixture(t, nil) }\n",
		"product.go":      "package main\n\nfunc c() { testenv.ParseSource(t, \".\") }\n",
	}))
	if !slices.Equal(blind, []string{"blind_test.go", "other_test.go"}) {
		t.Errorf("blind are %q", blind)
	}
}

// blindChecks returns the files of tests that parse the source, and no fixture.
func blindChecks(source *testenv.Source) (blind []string) {
	for _, file := range source.Paths() {
		called := map[string]bool{}
		for selector := range nodesOf[*ast.SelectorExpr](source.Files[file]) {
			called[lastName(selector.X)+"."+selector.Sel.Name] = true
		}
		looks := called["testenv.ParseSource"] || called["parser.ParseFile"] || called["parser.ParseDir"]
		if strings.HasSuffix(file, "_test.go") && looks && !called["testenv.ParseFixture"] {
			blind = append(blind, file)
		}
	}
	return blind
}

// checkFault fails unless there is one fault with the word, or none if the word is empty.
func checkFault(t *testing.T, what string, faults []string, word string) {
	t.Helper()
	if word == "" && len(faults) > 0 || word != "" && (len(faults) != 1 || !strings.Contains(faults[0], word)) {
		t.Errorf("%s: the faults are %q, want one with %q", what, faults, word)
	}
}

// importFaults returns what is wrong with the imports of product code, its tests, and the folders beside it.
func importFaults(source *testenv.Source) (faults []string) {
	for _, file := range source.Paths() {
		if strings.Contains(file, "/testdata/") {
			continue
		}
		folder, beside := packageOf(file), ""
		for name := range besideFolders {
			if strings.HasPrefix(file, name) && len(name) > len(beside) {
				beside = name
			}
		}
		if beside == "" && layerOf(folder) < 0 {
			faults = append(faults, fmt.Sprintf("%s: package %q is on no layer", file, folder))
			continue
		}
		for _, imported := range testenv.ImportsOf(source.Files[file]) {
			name, ours := strings.CutPrefix(imported, modulePath)
			name = strings.TrimPrefix(name, "/")
			fault := ""
			switch {
			case !strings.HasSuffix(file, "_test.go") && isForbidden(folder, imported):
				fault = "which this folder must not use"
			case !ours || beside != "" && isWithin(besideFolders[beside], name):
			case beside != "":
				fault = "which is not for this folder"
			default:
				fault = layerFault(folder, name, strings.HasSuffix(file, "_test.go"))
			}
			if fault != "" {
				faults = append(faults, fmt.Sprintf("%s imports %s, %s", file, imported, fault))
			}
		}
	}
	return faults
}

// layerFault says why a package of the product, or a test of it, may not import another; "" if it may.
func layerFault(folder, imported string, isTest bool) string {
	at, below := layerOf(folder), layerOf(imported)
	switch {
	case below < 0:
		return "which is on no layer"
	case slices.Contains(testKits, imported):
		if !isTest && !slices.Contains(testKits, folder) {
			return "which is for tests alone"
		}
	case isTest:
		if below > at && upwardTests[folder] != imported {
			return "which is not below its package"
		}
	case below >= at:
		return "which is not below it"
	}
	return ""
}

func layerOf(folder string) int {
	return slices.IndexFunc(layers, func(names []string) bool { return slices.Contains(names, folder) })
}

func packageOf(file string) string {
	if folder := path.Dir(file); folder != "." {
		return folder
	}
	return ""
}

func isWithin(allowed []string, name string) bool {
	return slices.ContainsFunc(allowed, func(one string) bool {
		return name == one || strings.HasSuffix(one, "/") && strings.HasPrefix(name, one)
	})
}

func isForbidden(folder, imported string) bool {
	for prefix, ban := range forbiddenImports {
		if strings.HasPrefix(folder, prefix) && !slices.Contains(ban.except, folder) && isWithin(ban.paths, imported) {
			return true
		}
	}
	return false
}

// bindingFaults returns where product code of internal/ names an event of the app, or its cron, to do something else
// than trigger it or count its handlers.
func bindingFaults(source *testenv.Source) (faults []string) {
	for _, file := range source.Paths() {
		if strings.HasSuffix(file, "_test.go") || slices.Contains(testKits, path.Dir(file)) || slices.Contains(binders, path.Dir(file)) {
			continue
		}
		harmless := map[ast.Node]bool{}
		ast.Inspect(source.Files[file], func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if call, ok := selector.X.(*ast.CallExpr); ok && (selector.Sel.Name == "Length" || selector.Sel.Name == "Trigger") {
				harmless[call.Fun] = true
			}
			if appEvents[selector.Sel.Name] && !harmless[selector] {
				faults = append(faults, fmt.Sprintf("%s binds %s: that is for hooks/", source.Position(selector), selector.Sel.Name))
			}
			return true
		})
	}
	return faults
}

// appEvents are the methods of core.App to which handlers are bound.
var appEvents = func() map[string]bool {
	events := map[string]bool{"Cron": true}
	for method := range reflect.TypeFor[core.App]().Methods() {
		if strings.HasPrefix(method.Name, "On") {
			events[method.Name] = true
		}
	}
	return events
}()

// pictureFaults returns the packages that the picture on the page lacks, and the folders in it that are no packages.
func pictureFaults(page string, packages []string) (faults []string) {
	_, picture, _ := strings.Cut(page, "```\n")
	picture, _, _ = strings.Cut(picture, "```")
	pictured, inInternal := map[string]bool{}, false
	for line := range strings.Lines(picture) {
		isTop := !strings.HasPrefix(line, " ")
		if isTop {
			inInternal = strings.HasPrefix(line, "internal/")
		}
		for at, word := range strings.Fields(line) {
			folder, isFolder := strings.CutSuffix(word, "/")
			switch {
			case isFolder && isTop && at == 0:
				pictured[folder] = true
			case isFolder && !isTop && inInternal:
				pictured["internal/"+folder] = true
			}
		}
	}
	present := map[string]bool{}
	for _, name := range packages {
		parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(name, modulePath), "/"), "/")
		if parts[0] == "internal" {
			parts[0] = strings.Join(parts[:min(2, len(parts))], "/")
		}
		if present[parts[0]] = true; parts[0] != "" && !pictured[parts[0]] {
			faults = append(faults, fmt.Sprintf("docs/architecture.md does not show %s", parts[0]))
		}
	}
	for name := range pictured {
		if strings.HasPrefix(name, "internal/") && !present[name] {
			faults = append(faults, fmt.Sprintf("docs/architecture.md shows %s, which is no package", name))
		}
	}
	return faults
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}
