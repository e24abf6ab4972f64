// Package wordstest checks that functions which read people's texts take time in proportion to the texts' length.
package wordstest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// hostilePieces are repeated to make texts that are cheap to write and may be expensive to read.
var hostilePieces = []string{
	"#", "@", "#a", "@a", "#1", "@aaa ", "@a.", ".", "a", "_", "#a#", "@a@", "@ab@", "&#", "＃", "＠", "#＃a", "\u0301", "#\u0301", "a\u0301\u0323",
	"http://", "http://a.b/#c?@d ", "\u200d", "👩‍", "\u202e", "\u2066\u2069", "\u200f", "\ufdfa", "#\ufdfa", "한", "ㄱ", "#東", " ", " \n", "\x00", "\xff", "#\xff",
	"…", "ß", "İ", `"`, `\`, "<", "{name}", "*", "a b ", "#" + strings.Repeat("x", 101) + " ",
}

// The environment of the process that counts statements.
const (
	passVariable   = "TEXTTEST_PASS"
	lengthVariable = "TEXTTEST_LENGTH"
)

// CheckLinear fails t if a pass executes more than 9/4 times as many statements for a text of twice the length. It runs
// the whole test t again in a program with Go's coverage counters for the packages counted: the pass's own and those
// that it calls. It does not measure time.
func CheckLinear(t *testing.T, passes map[string]func(text string), counted ...string) {
	if name := os.Getenv(passVariable); name != "" {
		length, _ := strconv.Atoi(os.Getenv(lengthVariable)) // we wrote it
		for _, piece := range hostilePieces {
			passes[name](strings.Repeat(piece, length/len(piece)))
		}
		return
	}
	if testing.Short() {
		t.Skip("it builds a test program of its own")
	}
	program := filepath.Join(t.TempDir(), "counted")
	// #nosec G204 -- a test names the packages
	build := exec.Command("go", "test", "-c", "-covermode=count", "-coverpkg="+strings.Join(counted, ","), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build a test that counts: %v: %s", err, out)
	}
	const length = 16_000
	for name := range passes {
		once, twice := countSteps(t, program, name, length), countSteps(t, program, name, 2*length)
		if once == 0 {
			t.Errorf("%s: nothing was counted", name)
		}
		if twice > once*9/4 {
			t.Errorf("%s takes %d steps, and %d for twice the text", name, once, twice)
		}
	}
}

// countSteps returns how many statements a pass executes for hostile texts of a length.
func countSteps(t *testing.T, program, pass string, length int) int {
	t.Helper()
	profile := fmt.Sprintf("%s.%s.%d", program, pass, length)
	run := exec.Command(program, "-test.run=^"+t.Name()+"$", "-test.coverprofile="+profile) // #nosec G204 -- built here
	run.Env = append(os.Environ(), passVariable+"="+pass, lengthVariable+"="+strconv.Itoa(length))
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("count the steps of %s: %v: %s", pass, err, out)
	}
	text, err := os.ReadFile(profile) // #nosec G304 -- made here
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] { // file:from,to statements times
		fields := strings.Fields(line)
		statements, _ := strconv.Atoi(fields[1])
		times, _ := strconv.Atoi(fields[2])
		sum += statements * times
	}
	return sum
}
