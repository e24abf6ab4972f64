package testenv

import "testing"

// SkipSequential skips a test under the race detector which does one thing after the other, and so much of it that it takes
// minutes there. The make target go-test runs it without; the list of these tests in the Makefile is compared with the calls.
// A test of things that happen at once is never one of them.
func SkipSequential(t testing.TB) {
	t.Helper()
	if Race {
		t.Skip("one step after the other, many times slower under the race detector; make go-test runs it without")
	}
}
