package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/doubletap/doubletap/internal/testenv"
)

// nounFolders are the folders whose exported types docs/words.md must explain, with the folders in them.
var nounFolders = []string{"internal/inbox", "internal/batchwriter", "internal/listing", "internal/notification", "internal/deliver"}

// givenUpHeading begins the part of docs/words.md that lists the words which no name may have.
const givenUpHeading = "\n## Words we gave up\n"

func TestWordsHasEveryExportedType(t *testing.T) {
	words, _ := readWords(t)
	source := testenv.ParseSource(t, ".")
	found := map[string]int{}
	for path, file := range source.Files {
		at := slices.IndexFunc(nounFolders, func(folder string) bool { return strings.HasPrefix(path, folder+"/") })
		// test kits such as delivertest are not part of the product
		if at < 0 || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") {
			continue
		}
		for _, name := range exportedTypes(file) {
			found[nounFolders[at]]++
			if !isExplained(name, words) {
				t.Errorf("%s: docs/words.md explains neither the words of the type %s nor the last of them", path, name)
			}
		}
	}
	for _, folder := range nounFolders {
		if found[folder] == 0 {
			t.Errorf("%s has no exported type: did the folder move?", folder)
		}
	}
}

func TestWordsHasEachWordOnce(t *testing.T) {
	words, givenUp := readWords(t)
	all := slices.Concat(words, givenUp)
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			t.Errorf("docs/words.md has %q twice", all[i])
		}
	}
}

func TestNamesHaveNoWordGivenUp(t *testing.T) {
	_, givenUp := readWords(t)
	source := testenv.ParseSource(t, ".")
	for _, file := range source.Files {
		for _, name := range namesWithWord(file, givenUp) {
			t.Errorf("%s: docs/words.md gave up a word of %s", source.Position(name), name.Name)
		}
	}
}

// TestScriptsHaveNoWordGivenUp does the same for what JavaScript declares.
func TestScriptsHaveNoWordGivenUp(t *testing.T) {
	_, givenUp := readWords(t)
	scripts := 0
	for _, folder := range scriptFolders {
		for _, suffix := range []string{".js", ".mjs"} {
			testenv.WalkFiles(t, folder, suffix, func(path string) {
				scripts++
				for _, name := range scriptNames(readFile(t, path)) {
					if hasWord(name, givenUp) {
						t.Errorf("%s: docs/words.md gave up a word of %s", path, name)
					}
				}
			})
		}
	}
	if scripts < 20 {
		t.Errorf("only %d scripts were found", scripts)
	}
}

// TestFunctionNamesSayWhatTheyDo holds a limit, and prints the figures under -v, for make names.
func TestFunctionNamesSayWhatTheyDo(t *testing.T) {
	const minMedian, maxShortPercent, shortLength = 9, 20, 5
	var lengths []int
	for path, file := range testenv.ParseSource(t, ".").Files {
		if !strings.HasSuffix(path, "_test.go") {
			lengths = append(lengths, functionNameLengths(file)...)
		}
	}
	if len(lengths) == 0 {
		t.Fatal("found no function")
	}
	slices.Sort(lengths)
	short, _ := slices.BinarySearch(lengths, shortLength+1)
	median, percent := lengths[len(lengths)/2], 100*float64(short)/float64(len(lengths))
	t.Logf("%d function names: median length %d, %.1f %% of at most %d letters", len(lengths), median, percent, shortLength)
	if median < minMedian {
		t.Errorf("got a median of %d letters, want at least %d", median, minMedian)
	}
	if percent > maxShortPercent {
		t.Errorf("got %.1f %% of at most %d letters, want at most %d %%", percent, shortLength, maxShortPercent)
	}
}

func TestDocsAreWrapped(t *testing.T) {
	for _, page := range docPages(t) {
		for _, line := range overlongLines(readFile(t, page)) {
			t.Errorf("%s:%d is longer than %d columns", page, line, maxDocColumns)
		}
	}
}

// TestNameChecksSeeAFault gives each check of this file something to find.
func TestNameChecksSeeAFault(t *testing.T) {
	file := testenv.ParseFixture(t, map[string]string{"fixture.go": `package fixture

import wish "fmt"

type OrderDesk struct{ seat int }

type quietHours struct{}

type FeedRow struct{ visit, dessert int }

func (d *OrderDesk) runErrands(wishes map[string]int) (patience int) {
	const slowDeed = 1
	for lookout := range wishes {
		heeds_it := lookout
		wish.Print(heeds_it, slowDeed, wishlist)
	}
	return
}

func TestSomething() {}
`}).Files["fixture.go"]
	words, givenUp := readWords(t)
	var names []string
	for _, name := range namesWithWord(file, givenUp) {
		names = append(names, name.Name)
	}
	slices.Sort(names)
	if want := []string{"OrderDesk", "heeds_it", "lookout", "patience", "runErrands", "seat", "slowDeed", "wish", "wishes"}; !slices.Equal(names, want) {
		t.Errorf("names with a word given up: got %q, want %q", names, want)
	}
	script := "import a from './errand.js'\nconst desk = 'deed' // wish\nlet { seat, b: [rise] } = c; /* calm */\nfunction heedAll(notices = 1) { run((sit, d) => sit, patience => 1) }\nfor (const lookout of all) say(`sluggish`)\n"
	names = slices.DeleteFunc(scriptNames(script), func(name string) bool { return !hasWord(name, givenUp) })
	if want := []string{"desk", "seat", "rise", "heedAll", "lookout", "notices", "sit", "patience"}; !slices.Equal(names, want) {
		t.Errorf("names of a script with a word given up: got %q, want %q", names, want)
	}
	var unexplained []string
	for _, name := range exportedTypes(file) {
		if !isExplained(name, words) {
			unexplained = append(unexplained, name)
		}
	}
	if want := []string{"OrderDesk"}; !slices.Equal(unexplained, want) {
		t.Errorf("types without a word: got %q, want %q", unexplained, want)
	}
	if got, want := functionNameLengths(file), []int{len("runErrands")}; !slices.Equal(got, want) {
		t.Errorf("lengths of function names: got %v, want %v", got, want)
	}

	long := strings.Repeat("word ", 30)
	page := fmt.Sprintf("%s\n\n| %s |\n\n```\n%s\n```\n\n- [link](https://example.com/%s)\n- %s\n", long, long, long, strings.Repeat("x", 120), long)
	if got, want := overlongLines(page), []int{1, 10}; !slices.Equal(got, want) {
		t.Errorf("overlong lines: got %v, want %v", got, want)
	}
}

// readWords returns the words that docs/words.md explains, and those that it has given up.
func readWords(t *testing.T) (words, givenUp []string) {
	t.Helper()
	explained, dead, found := strings.Cut(readFile(t, "docs/words.md"), givenUpHeading)
	words, givenUp = firstColumn(explained), firstColumn(dead)
	if !found || len(words) == 0 || len(givenUp) == 0 {
		t.Fatalf("docs/words.md has %d words and %d given up", len(words), len(givenUp))
	}
	return words, givenUp
}

// firstColumn returns the words in the first cells of a page's tables. A cell may have several, with commas between them.
func firstColumn(page string) []string {
	var words []string
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		cells := strings.Split(line, "|")
		isHeader := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if len(cells) > 2 && !isHeader && !strings.HasPrefix(line, "|---") {
			words = append(words, strings.Split(strings.TrimSpace(cells[1]), ", ")...)
		}
	}
	return words
}

// isExplained reports whether words has all words of the name ("batch writer") or the last of them ("writer"), in the
// singular or as they are.
func isExplained(name string, words []string) bool {
	parts := splitName(name)
	for _, phrase := range []string{strings.Join(parts, " "), parts[len(parts)-1]} {
		if slices.Contains(words, phrase) || slices.Contains(words, strings.TrimSuffix(phrase, "s")) {
			return true
		}
	}
	return false
}

// exportedTypes returns the names of the exported types that a file declares.
func exportedTypes(file *ast.File) []string {
	var names []string
	for _, declaration := range file.Decls {
		types, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range types.Specs {
			if declared, ok := spec.(*ast.TypeSpec); ok && declared.Name.IsExported() {
				names = append(names, declared.Name.Name)
			}
		}
	}
	return names
}

// functionNameLengths returns the lengths of the names of a file's functions and methods. The names of tests,
// benchmarks, examples and fuzz targets are sentences and do not count.
func functionNameLengths(file *ast.File) []int {
	var lengths []int
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && !slices.ContainsFunc([]string{"Test", "Benchmark", "Example", "Fuzz"}, func(prefix string) bool { return strings.HasPrefix(function.Name.Name, prefix) }) {
			lengths = append(lengths, len(function.Name.Name))
		}
	}
	return lengths
}

// namesWithWord returns the names that a file declares and that have one of the words, or its plural, among theirs.
func namesWithWord(file *ast.File, words []string) []*ast.Ident {
	return slices.DeleteFunc(declaredNames(file), func(name *ast.Ident) bool { return !hasWord(name.Name, words) })
}

func hasWord(name string, words []string) bool {
	return slices.ContainsFunc(splitName(name), func(part string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return part == word || part == word+"s" || part == word+"es" })
	})
}

// scriptFolders have JavaScript of ours.
var scriptFolders = []string{"pb_public", "tests"}

var (
	scriptDeclaration = regexp.MustCompile(`\b(?:const|let|var)\s+(\w+|[\[{][^=;]*?[\]}])\s*(?:=|of\b|in\b|;)|\b(?:function\*?|class)\s+(\w+)`)
	scriptParameters  = regexp.MustCompile(`\(([^()]*)\)\s*(?:=>|\{)|\b(\w+)\s*=>`)
	scriptComment     = regexp.MustCompile(`(?m)/\*(?s:.*?)\*/|(?:^|\s)//.*$`)
	scriptText        = regexp.MustCompile(`'[^'\n]*'|"[^"\n]*"`)
	scriptWord        = regexp.MustCompile(`[A-Za-z_]\w*`)
)

// scriptNames returns the names that a script declares: variables, functions, classes and parameters, and with these
// what their defaults and the conditions before a block name.
func scriptNames(script string) []string {
	script = scriptText.ReplaceAllString(scriptComment.ReplaceAllString(script, ""), "''")
	var names []string
	for _, pattern := range []*regexp.Regexp{scriptDeclaration, scriptParameters} {
		for _, found := range pattern.FindAllStringSubmatch(script, -1) {
			names = append(names, scriptWord.FindAllString(found[1]+" "+found[2], -1)...)
		}
	}
	return names
}

// declaredNames returns every name that a file declares: its package, imports, types, functions, constants, variables,
// fields, parameters and labels.
func declaredNames(file *ast.File) []*ast.Ident {
	names := []*ast.Ident{file.Name}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			if node.Name != nil {
				names = append(names, node.Name)
			}
		case *ast.TypeSpec:
			names = append(names, node.Name)
		case *ast.FuncDecl:
			names = append(names, node.Name)
		case *ast.ValueSpec:
			names = append(names, node.Names...)
		case *ast.Field:
			names = append(names, node.Names...)
		case *ast.LabeledStmt:
			names = append(names, node.Label)
		case *ast.AssignStmt:
			if node.Tok == token.DEFINE {
				names = append(names, identsOf(node.Lhs...)...)
			}
		case *ast.RangeStmt:
			if node.Tok == token.DEFINE {
				names = append(names, identsOf(node.Key, node.Value)...)
			}
		}
		return true
	})
	return names
}

func identsOf(expressions ...ast.Expr) []*ast.Ident {
	var idents []*ast.Ident
	for _, expression := range expressions {
		if ident, ok := expression.(*ast.Ident); ok {
			idents = append(idents, ident)
		}
	}
	return idents
}

var (
	wordStart    = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	acronymEnd   = regexp.MustCompile(`([A-Z])([A-Z][a-z])`)
	spacedBefore = "$1 $2"
)

// splitName returns the words of a Go name in lower case: http, client and of for HTTPClientOf. A name without a letter
// is its own only word.
func splitName(name string) []string {
	spaced := acronymEnd.ReplaceAllString(wordStart.ReplaceAllString(name, spacedBefore), spacedBefore)
	if words := strings.Fields(strings.ToLower(strings.ReplaceAll(spaced, "_", " "))); len(words) > 0 {
		return words
	}
	return []string{name}
}

// maxDocColumns is how long a line of the documentation may be, unless it cannot be broken.
const maxDocColumns = 120

// docPages returns the pages of the documentation. CHANGELOG.md has one line for each change.
func docPages(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"}
	for _, folder := range []string{"docs", "examples"} {
		testenv.WalkFiles(t, folder, ".md", func(path string) { pages = append(pages, path) })
	}
	return pages
}

// overlongLines returns the numbers of the lines of a Markdown page that are too long and could be broken. Code between
// fences, rows of tables, HTML, and items without a space, such as an address, cannot.
func overlongLines(page string) []int {
	var overlong []int
	fenced := false
	lines := strings.Split(page, "\n")
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "```") {
			fenced = !fenced
		}
		if fenced || strings.HasPrefix(text, "|") || strings.HasPrefix(text, "<") || utf8.RuneCountInString(line) <= maxDocColumns {
			continue
		}
		if strings.Contains(strings.TrimLeft(text, "-*>#0123456789. "), " ") {
			overlong = append(overlong, i+1)
		}
	}
	if fenced {
		overlong = append(overlong, len(lines)) // a fence without its end would hide what follows
	}
	return overlong
}
