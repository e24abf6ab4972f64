// Doctor measures what `doubletap doctor` costs over 100,000 posts: the CPU time, user and system, of the examination
// alone, by what it looks at. It makes the folder once, with a file for each post's photo.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/reconcile"
)

// size is that of the goal: 100,000 posts of 1,250 people, 300,000 likes and their events, 62,500 follows.
var size = world.Size{Users: 1250, Crowd: 1250, Posts: 100_000, Likes: 3, Follows: 50}

// part is what one thing that doctor looks at costs.
type part struct {
	What string
	CPU  time.Duration
}

func main() {
	dir := flag.String("dir", filepath.Join("cache", "doctor"), "the data folder, which is made unless it is there")
	rounds := flag.Int("rounds", 3, "how often doctor is run, each time in a process of its own")
	profile := flag.String("profile", "", "write a CPU profile of one run to this file, whose label part says what doctor looks at")
	once := flag.Bool("once", false, "run doctor in this process and print what its parts cost as JSON")
	flag.Parse()
	if err := run(*dir, *rounds, *profile, *once); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

func run(dir string, rounds int, profile string, once bool) error {
	if once || profile != "" {
		parts, err := examineFolder(dir, profile)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(parts)
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	var all [][]part
	for range rounds {
		child := exec.Command(os.Args[0], "-once", "-dir="+dir) // #nosec G204 -- this program itself
		child.Stderr = os.Stderr
		out, err := child.Output()
		if err != nil {
			return err
		}
		var parts []part
		if err := json.Unmarshal(out, &parts); err != nil {
			return err
		}
		all = append(all, parts)
	}
	return printParts(all)
}

// examineFolder examines the folder as doctor does and returns what each part took, and at the end all of them.
func examineFolder(dir, profile string) (parts []part, err error) {
	app, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, app.ClearBootstrap()) }()
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	began := cpuTime()
	last := began
	what := "list of invariants"
	findings, err := cli.Examine(context.Background(), app, reconcile.ExamineOptions{Report: func(next string, rows int) {
		now := cpuTime()
		if rows > 0 { // a page of it is done
			what = next
		}
		parts = append(parts, part{what, now - last})
		what, last = next, now
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("part", what)))
	}})
	if err != nil {
		return nil, err
	}
	now := cpuTime()
	parts = append(parts, part{what, now - last}, part{"all", now - began})
	for _, f := range findings {
		if f.State != cli.StateOK {
			fmt.Fprintln(os.Stderr, f.State, f.Check, f.Count, f.Detail)
		}
	}
	return parts, nil
}

// openFolder opens a data folder in an app without commands, which would look at the command line.
func openFolder(dir string) (core.App, error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: hooks.Config().DBConnect})
	hooks.Bind(app)
	return app, app.Bootstrap()
}

// cpuTime returns how long the process has used processors, as user and in the system.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // it fails for no process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// printParts prints what the parts cost at the median of the runs, the dearest first.
func printParts(runs [][]part) error {
	costs := map[string][]time.Duration{}
	for _, parts := range runs {
		sums := map[string]time.Duration{}
		for _, p := range parts {
			sums[p.What] += p.CPU
		}
		for what, cpu := range sums {
			costs[what] = append(costs[what], cpu)
		}
	}
	median := func(what string) time.Duration { slices.Sort(costs[what]); return costs[what][len(costs[what])/2] }
	var names []string
	for what := range costs {
		names = append(names, what)
	}
	slices.SortFunc(names, func(a, b string) int { return int(median(b) - median(a)) })
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, what := range names {
		fmt.Fprintf(table, "%s\t%.2f s\n", what, median(what).Seconds())
	}
	return table.Flush()
}
