// Package report writes the figures as a table, a JSON file and a chart.
package report

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/internal/load"
)

// Report is one run of the benchmark.
type Report struct {
	When     time.Time
	Machine  Machine
	Size     world.Size
	Rounds   int
	Seconds  float64 // how long each case was measured in each round
	Took     string
	Subjects []Side
	Cases    []string // in the order in which they were run
	Results  map[string]map[string]*Result
	Limits   map[string]float64 `json:",omitempty"` // of SQLite itself, in likes a second
}

// Side is one subject of the report.
type Side struct{ Name, What string }

// Machine is the machine that the benchmark ran on.
type Machine struct {
	CPU, Kernel, Go string
	Cores           int
}

// Result is what was measured of one subject in one case.
type Result struct {
	Median load.Metrics
	Rounds []load.Metrics
	Wrong  []string `json:",omitempty"` // what went wrong, a line for each round
}

// AddRound adds one round of one subject in one case: its figures, unless nil, and what went wrong, unless empty.
func (r *Report) AddRound(name, subject string, m load.Metrics, wrong string) {
	if r.Results == nil {
		r.Results = map[string]map[string]*Result{}
	}
	if r.Results[name] == nil {
		r.Results[name] = map[string]*Result{}
		r.Cases = append(r.Cases, name)
	}
	if r.Results[name][subject] == nil {
		r.Results[name][subject] = &Result{}
	}
	result := r.Results[name][subject]
	if m != nil {
		result.Rounds = append(result.Rounds, m)
	}
	if wrong != "" {
		result.Wrong = append(result.Wrong, wrong)
	}
	result.Median = medianMetrics(result.Rounds)
}

// medianMetrics returns the median of each metric over the rounds that have it.
func medianMetrics(rounds []load.Metrics) load.Metrics {
	all := map[string][]float64{}
	for _, round := range rounds {
		for name, value := range round {
			all[name] = append(all[name], value)
		}
	}
	m := load.Metrics{}
	for name, values := range all {
		slices.Sort(values)
		middle := len(values) / 2
		m[name] = values[middle]
		if len(values)%2 == 0 {
			m[name] = (values[middle-1] + values[middle]) / 2
		}
	}
	return m
}

// FigureOf returns a subject's median of a metric in a case, and false if there is none.
func (r *Report) FigureOf(name, metric, subject string) (float64, bool) {
	result := r.Results[name][subject]
	if result == nil {
		return 0, false
	}
	value, ok := result.Median[metric]
	return value, ok
}

// HasSubject reports whether a subject took part.
func (r *Report) HasSubject(subject string) bool {
	return slices.ContainsFunc(r.Subjects, func(s Side) bool { return s.Name == subject })
}

// WriteJSON writes the whole report to a file.
func (r *Report) WriteJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// DescribeMachine returns a machine by its /proc/cpuinfo, its kernel's release and its version of Go.
func DescribeMachine(cpuinfo, kernel, version string, cores int) Machine {
	m := Machine{Kernel: strings.TrimSpace(kernel), Go: version, Cores: cores}
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}
