package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/doubletap/doubletap/bench/report"
	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/internal/load"
)

// growthCases are the cases that are measured again with more data.
var growthCases = []string{"likes-16", "feed-1", "feed-8", "tray-8"}

// measureAll runs everything that the flags ask for.
func measureAll(ctx context.Context, b subject.Bench, c config) (*report.Report, error) {
	began := time.Now()
	r := &report.Report{When: began, Machine: describeMachine(), Size: c.size, Rounds: c.rounds, Seconds: c.run.Seconds()}
	run, err := prepareRunner(ctx, b, c, r, c.size)
	if err != nil {
		return nil, err
	}
	for round := range c.rounds {
		if err := run.runRound(ctx, round); err != nil {
			return nil, err
		}
	}
	if err := run.measureRaw(ctx); err != nil {
		return nil, err
	}
	if c.growth > 1 {
		run, err := prepareRunner(ctx, b, c, r, c.size.ScaledBy(c.growth))
		if err != nil {
			return nil, err
		}
		run.suffix, run.onlyCases = fmt.Sprintf("@%d ×", c.growth), growthCases
		for round := range c.rounds {
			if err := run.runRound(ctx, round); err != nil {
				return nil, err
			}
		}
	}
	r.Took = time.Since(began).Round(time.Second).String()
	return r, nil
}

// runner measures subjects on the data of one size.
type runner struct {
	config
	bench     subject.Bench
	report    *report.Report
	world     *world.World
	tool      string
	subjects  []subject.Subject
	programs  map[string]string // by subject
	folders   map[string]string // seeded folders, by kind
	suffix    string            // what is appended to the cases' names
	onlyCases []string          // cases that are measured, in addition to the flag's choice; empty means all
	rested    map[string]bool   // subjects whose memory at rest has been measured
}

// prepareRunner returns a runner, with the programs built and the folders filled.
func prepareRunner(ctx context.Context, b subject.Bench, c config, r *report.Report, size world.Size) (*runner, error) {
	run := &runner{config: c, bench: b, report: r, world: world.New(size), programs: map[string]string{}, folders: map[string]string{}, rested: map[string]bool{}}
	var err error
	if run.tool, err = b.BuildTool(); err != nil {
		return nil, err
	}
	r.Subjects = nil
	for _, name := range c.subjects {
		s, _ := subject.FindSubject(name) // parseFlags has checked the names
		if !run.hasCase(s) {
			continue
		}
		printProgress("%s: building, filling %s", name, size)
		if run.programs[name], err = b.BuildSubject(s); err != nil {
			return nil, err
		}
		if run.folders[s.Kind] == "" {
			if run.folders[s.Kind], err = b.SeededFolder(ctx, s.Kind, run.tool, size); err != nil {
				return nil, err
			}
		}
		run.subjects = append(run.subjects, s)
		r.Subjects = append(r.Subjects, report.Side{Name: s.Name, What: s.What})
	}
	return run, nil
}

// hasCase reports whether a subject has a case to run.
func (r *runner) hasCase(s subject.Subject) bool {
	for name := range strings.SplitSeq(caseNames(), ",") {
		if r.wantsCase(name, s.Only) {
			return true
		}
	}
	return false
}

// subjectOrder returns the subjects in the order of a round; each round begins with another subject.
func (r *runner) subjectOrder(round int) (all []subject.Subject) {
	for i := range r.subjects {
		all = append(all, r.subjects[(round+i)%len(r.subjects)])
	}
	return all
}

func describeMachine() report.Machine {
	cpu, _ := os.ReadFile("/proc/cpuinfo") // what cannot be read stays empty in the report
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return report.DescribeMachine(string(cpu), string(kernel), runtime.Version(), runtime.NumCPU())
}

func printProgress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func joinNotes(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func briefMetrics(m load.Metrics) (text string) {
	for _, name := range []string{load.Rate, load.P50, load.P99, load.CPU} {
		if value, ok := m[name]; ok {
			text += fmt.Sprintf(" %s %.4g", name, value)
		}
	}
	return text
}
