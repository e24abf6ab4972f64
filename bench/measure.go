package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"doubletap/bench/load"
	"doubletap/bench/report"
	"doubletap/bench/subject"
	"doubletap/bench/world"
)

// grown are the cases that are measured once more with more data.
var grown = []string{"likes-16", "feed-1", "feed-8", "tray-8"}

// measure runs all that the flags ask for.
func measure(ctx context.Context, b subject.Bench, c config) (*report.Report, error) {
	began := time.Now()
	r := &report.Report{When: began, Machine: machine(), Size: c.size, Rounds: c.rounds, Seconds: c.run.Seconds()}
	run, err := prepare(ctx, b, c, r, c.size)
	if err != nil {
		return nil, err
	}
	for round := range c.rounds {
		if err := run.round(ctx, round); err != nil {
			return nil, err
		}
	}
	if err := run.raw(ctx); err != nil {
		return nil, err
	}
	if c.growth > 1 {
		run, err := prepare(ctx, b, c, r, c.size.Times(c.growth))
		if err != nil {
			return nil, err
		}
		run.suffix, run.only = fmt.Sprintf("@%d ×", c.growth), grown
		for round := range c.rounds {
			if err := run.round(ctx, round); err != nil {
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
	bench    subject.Bench
	report   *report.Report
	world    *world.World
	tool     string
	subjects []subject.Subject
	programs map[string]string // by subject
	folders  map[string]string // seeded, by kind
	suffix   string            // of the cases' names
	only     []string          // cases, beside the flag's
	rested   map[string]bool   // subjects whose memory at rest is known
}

// prepare builds the programs and fills the folders.
func prepare(ctx context.Context, b subject.Bench, c config, r *report.Report, size world.Size) (*runner, error) {
	run := &runner{config: c, bench: b, report: r, world: world.New(size), programs: map[string]string{}, folders: map[string]string{}, rested: map[string]bool{}}
	var err error
	if run.tool, err = b.BuildTool(); err != nil {
		return nil, err
	}
	r.Subjects = nil
	for _, name := range c.subjects {
		s, _ := subject.Find(name) // the flags were checked
		if !run.busy(s) {
			continue
		}
		say("%s: building, filling %s", name, size)
		if run.programs[name], err = b.Build(s); err != nil {
			return nil, err
		}
		if run.folders[s.Kind] == "" {
			if run.folders[s.Kind], err = b.Seeded(ctx, s.Kind, run.tool, size); err != nil {
				return nil, err
			}
		}
		run.subjects = append(run.subjects, s)
		r.Subjects = append(r.Subjects, report.Side{Name: s.Name, What: s.What})
	}
	return run, nil
}

// busy reports whether a subject has a case to run.
func (r *runner) busy(s subject.Subject) bool {
	for name := range strings.SplitSeq(names(), ",") {
		if r.wants(name, s.Only) {
			return true
		}
	}
	return false
}

// turns are the subjects, each round beginning with another.
func (r *runner) turns(round int) (all []subject.Subject) {
	for i := range r.subjects {
		all = append(all, r.subjects[(round+i)%len(r.subjects)])
	}
	return all
}

func machine() report.Machine {
	cpu, _ := os.ReadFile("/proc/cpuinfo") // what cannot be read stays unsaid
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return report.On(string(cpu), string(kernel), runtime.Version(), runtime.NumCPU())
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func brief(m load.Metrics) (text string) {
	for _, name := range []string{load.Rate, load.P50, load.P99, load.CPU} {
		if value, ok := m[name]; ok {
			text += fmt.Sprintf(" %s %.4g", name, value)
		}
	}
	return text
}
