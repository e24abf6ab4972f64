package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/doubletap/doubletap/bench/report"
	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/internal/load"
)

// runRound serves fresh copies of the data and runs every case on one subject after the other. All servers except the
// one being measured are frozen.
func (r *runner) runRound(ctx context.Context, round int) (err error) {
	var servers []*servedSubject
	defer func() {
		for _, g := range servers {
			g.Stop()
			if removed := os.RemoveAll(g.Dir); err == nil {
				err = removed
			}
		}
	}()
	for _, s := range r.subjectOrder(round) {
		g, err := r.serveCopy(ctx, s)
		if g != nil {
			servers = append(servers, g)
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", s.Name, err)
		}
		g.Freeze()
	}
	options := load.Options{Warm: r.run / 4, Run: r.run, Listeners: r.listeners, Samples: r.samples, Likers: r.likers, Photos: r.photos}
	if options.Photo, err = benchPhoto(r.bench.CachePath(fmt.Sprintf("photo-%d.jpg", r.photo)), r.photo); err != nil {
		return err
	}
	for _, k := range load.AllCases() {
		for _, g := range servers {
			if r.wantsCase(k.Name, g.Only) && r.wantsCase(k.Name, r.onlyCases) {
				g.Resume()
				r.runCase(ctx, k, g, options, round)
				g.Freeze()
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// runCase runs one case on one subject and adds its figures to the report, with what was wrong.
func (r *runner) runCase(ctx context.Context, k load.Case, g *servedSubject, o load.Options, round int) {
	var wrong string
	if k.Writes && g.lastRows == nil {
		rows, err := r.readStoredRows(ctx, g, "")
		if err != nil {
			r.report.AddRound(k.Name+r.suffix, g.Name, nil, err.Error())
			return
		}
		g.lastRows = rows
	}
	before := g.acknowledgedWrites()
	results, err := k.Run(ctx, g.Target, o)
	if err != nil {
		wrong = err.Error()
	}
	memory, _ := g.Memory() // 0 if the server has died, which shows in the figures
	if k.Writes {
		wrong = joinNotes(wrong, r.verifyCase(ctx, g, k, before, results))
	}
	if len(results) == 0 {
		r.report.AddRound(k.Name+r.suffix, g.Name, nil, joinNotes(wrong, "no figures"))
	}
	for _, row := range results {
		row.Metrics[report.After] = float64(memory) / 1e6
		note := joinNotes(wrong, complaintsOf(row.Metrics))
		r.report.AddRound(row.Name+r.suffix, g.Name, row.Metrics, note)
		printProgress("round %d  %-12s %-18s%s  %s", round+1, g.Name, row.Name+r.suffix, briefMetrics(row.Metrics), note)
	}
}

// complaintsOf returns in words what the load generator itself found wrong, or "".
func complaintsOf(m load.Metrics) (text string) {
	for _, c := range []struct{ metric, words string }{
		{load.Lost, "notifications never came"}, {load.Misdelivered, "messages reached somebody else"}, {load.Failed, "failed"},
	} {
		if n := m[c.metric]; n > 0 {
			text = joinNotes(text, fmt.Sprintf("%.0f %s", n, c.words))
		}
	}
	return text
}

// serveCopy copies the data, measures the start of the process, and returns a server that is up.
func (r *runner) serveCopy(ctx context.Context, s subject.Subject) (*servedSubject, error) {
	dir := filepath.Join(r.bench.Run, s.Name)
	if err := subject.CopyFolder(r.folders[s.Kind], dir); err != nil {
		return nil, err
	}
	all, err := peopleWithTokens(ctx, r.tool, dir, r.world)
	if err != nil {
		return nil, err
	}
	if r.wantsCase("start", s.Only) && r.wantsCase("start", r.onlyCases) {
		if err := r.measureStarts(ctx, s, dir, all); err != nil {
			return nil, err
		}
	}
	server, err := subject.Start(ctx, s, r.programs[s.Name], dir)
	if err != nil {
		return nil, err
	}
	return newServedSubject(server, r.world, all), nil
}
