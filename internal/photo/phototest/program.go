package phototest

import (
	"os"
	"os/exec"
	"testing"
)

// RequireProgram returns a command of a program that make installs for the tests. If the program is missing, the test
// is skipped on a developer's machine and fails where CI is set.
func RequireProgram(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not installed", name)
	default:
		t.Skipf("%s is not installed; make needs does that", name)
	}
	return exec.Command(path, args...) // #nosec G204 -- a test names the program
}
