package testenv

import "testing"

// SkipSequential skips a test under the race detector which does one thing after the other: it is many times slower
// there, and there is nothing to find. The make target sequential-test runs its package without. A test of things that
// happen at once is never one of them, as a test at the top of the repository makes sure.
func SkipSequential(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("one step after the other, many times slower under the race detector; make sequential-test runs it without")
	}
}
