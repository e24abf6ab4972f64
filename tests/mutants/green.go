package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// greenLimit is how long the tests of one package may take without any mutant.
	greenLimit = 8 * time.Minute
	// timesGreen is how many times longer than without a mutant a test may take. Then it hangs.
	timesGreen = 5
	// startOfTests is what a test's process takes before its first test, at most.
	startOfTests = 3 * time.Second
)

// greenTests is how long each test of a package takes on the code as it is.
type greenTests map[string]time.Duration

var endOfTest = regexp.MustCompile(`(?m)^--- (?:PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)`)

// expectGreen runs the mutants' tests on the code as it is, and notes how long each takes. A test that is red anyway
// notices nothing: what is red beside the others is run again alone.
func (b *testBinaries) expectGreen(all []mutant) error {
	patterns, first := map[string][]string{}, map[string]mutant{} // by the environment and the package
	for _, m := range all {
		first[m.where()] = m
		if pattern := m.pattern(); !slices.Contains(patterns[m.where()], pattern) {
			patterns[m.where()] = append(patterns[m.where()], pattern)
		}
	}
	var red []error
	for where, m := range first {
		joined := strings.Join(patterns[where], "|")
		sum := fnv.New64a()
		fmt.Fprint(sum, where, joined)
		kept := filepath.Join(b.dir, fmt.Sprintf("green-%x", sum.Sum64()))
		if output, err := os.ReadFile(kept); err == nil {
			b.noteSeconds(where, output)
			continue
		}
		began := time.Now()
		isGreen := true
		output, err := b.runTest(m, -1, joined, greenLimit)
		fmt.Printf("green  %4.0f s  %s\n", time.Since(began).Seconds(), where)
		for _, pattern := range patterns[where] {
			if err == nil {
				break
			}
			alone, err := b.runTest(m, -1, pattern, greenLimit)
			output = append(output, alone...)
			if err != nil {
				isGreen = false
				red = append(red, fmt.Errorf("%s -run %s is red without any mutant: %w: %s", where, pattern, err, alone))
			}
		}
		b.noteSeconds(where, output)
		if isGreen {
			red = append(red, os.WriteFile(kept, output, 0o600))
		}
	}
	return errors.Join(red...)
}

// noteSeconds reads from what tests say how long each took.
func (b *testBinaries) noteSeconds(where string, output []byte) {
	if b.green[where] == nil {
		b.green[where] = greenTests{}
	}
	for _, said := range endOfTest.FindAllSubmatch(output, -1) {
		seconds, _ := strconv.ParseFloat(string(said[2]), 64)
		b.green[where][string(said[1])] = time.Duration(seconds * float64(time.Second))
	}
}

// limit is how long the mutant's tests may take before they count as hanging.
func (b *testBinaries) limit(m mutant) time.Duration {
	took, pattern := startOfTests, regexp.MustCompile(m.pattern())
	for name, seconds := range b.green[m.where()] {
		if pattern.MatchString(name) {
			took += seconds
		}
	}
	return timesGreen * took
}
