package main

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/doubletap/doubletap/bench/report"
	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/internal/load"
)

// writeProfile writes a CPU profile of Doubletap while the chosen cases run, and prints their figures.
func writeProfile(ctx context.Context, b subject.Bench, c config) error {
	file, err := filepath.Abs(c.profile)
	if err != nil {
		return err
	}
	c.subjects = []string{"profiled"}
	if len(c.cases) == 0 {
		c.cases = []string{"likes-16"}
	}
	run, err := prepareRunner(ctx, b, c, &report.Report{Machine: describeMachine(), Size: c.size, Rounds: 1, Seconds: c.run.Seconds()}, c.size)
	if err != nil {
		return err
	}
	run.subjects[0].Env = append(run.subjects[0].Env, "BENCH_CPUPROFILE="+file)
	g, err := run.serveCopy(ctx, run.subjects[0])
	if err != nil {
		return err
	}
	defer g.Stop()
	options := load.Options{Warm: c.run / 4, Run: c.run, Listeners: c.listeners, Samples: c.samples, Likers: c.likers, Photos: c.photos}
	if options.Photo, err = benchPhoto(b.CachePath(fmt.Sprintf("photo-%d.jpg", c.photo)), c.photo); err != nil {
		return err
	}
	if err := g.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	for _, k := range load.AllCases() {
		if c.wantsCase(k.Name, nil) {
			results, err := k.Run(ctx, g.Target, options)
			for _, row := range results {
				printProgress("%-16s %s", row.Name, briefMetrics(row.Metrics))
			}
			if err != nil {
				return err
			}
		}
	}
	if err := g.Signal(syscall.SIGUSR2); err != nil {
		return err
	}
	printProgress("look at it with: go tool pprof -http=: %s", file)
	return nil
}
