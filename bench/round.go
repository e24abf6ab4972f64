package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"doubletap/bench/load"
	"doubletap/bench/report"
	"doubletap/bench/subject"
)

// round serves fresh copies of the data and runs every case on one subject after the other. All
// servers but the one that is measured are stopped where they stand.
func (r *runner) round(ctx context.Context, round int) (err error) {
	var guests []*guest
	defer func() {
		for _, g := range guests {
			g.Stop()
			if removed := os.RemoveAll(g.Dir); err == nil {
				err = removed
			}
		}
	}()
	for _, s := range r.turns(round) {
		g, err := r.serve(ctx, s)
		if g != nil {
			guests = append(guests, g)
		}
		if err != nil {
			return fmt.Errorf("start %s: %w", s.Name, err)
		}
		g.Freeze()
	}
	options := load.Options{Warm: r.run / 4, Run: r.run, Listeners: r.listeners, Samples: r.samples, Likers: r.likers, Photos: r.photos}
	if options.Photo, err = photo(r.bench.Cache(fmt.Sprintf("photo-%d.jpg", r.photo)), r.photo); err != nil {
		return err
	}
	for _, k := range load.Cases() {
		for _, g := range guests {
			if r.wants(k.Name, g.Only) && r.wants(k.Name, r.only) {
				g.Thaw()
				r.turn(ctx, k, g, options, round)
				g.Freeze()
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// turn runs one case on one subject and notes what came of it, right or wrong.
func (r *runner) turn(ctx context.Context, k load.Case, g *guest, o load.Options, round int) {
	var wrong string
	if k.Writes && g.rows == nil {
		rows, err := r.check(ctx, g, "")
		if err != nil {
			r.report.Add(k.Name+r.suffix, g.Name, nil, err.Error())
			return
		}
		g.rows = rows
	}
	before := g.wrote()
	results, err := k.Run(ctx, g.Target, o)
	if err != nil {
		wrong = err.Error()
	}
	memory, _ := g.Memory() // 0 when the server has died, which shows in the figures
	if k.Writes {
		wrong = join(wrong, r.verify(ctx, g, k, before, results))
	}
	if len(results) == 0 {
		r.report.Add(k.Name+r.suffix, g.Name, nil, join(wrong, "no figures"))
	}
	for _, row := range results {
		row.Metrics[report.After] = float64(memory) / 1e6
		note := join(wrong, complaints(row.Metrics))
		r.report.Add(row.Name+r.suffix, g.Name, row.Metrics, note)
		say("round %d  %-12s %-18s%s  %s", round+1, g.Name, row.Name+r.suffix, brief(row.Metrics), note)
	}
}

// complaints says what the load generator itself found wrong.
func complaints(m load.Metrics) (text string) {
	for _, c := range []struct{ metric, words string }{
		{load.Lost, "notifications never came"}, {load.Strange, "messages reached somebody else"}, {load.Failed, "failed"},
	} {
		if n := m[c.metric]; n > 0 {
			text = join(text, fmt.Sprintf("%.0f %s", n, c.words))
		}
	}
	return text
}

// serve copies the data, measures the start of the process, and leaves it served.
func (r *runner) serve(ctx context.Context, s subject.Subject) (*guest, error) {
	dir := filepath.Join(r.bench.Run, s.Name)
	if err := subject.Copy(r.folders[s.Kind], dir); err != nil {
		return nil, err
	}
	all, err := people(ctx, r.tool, dir, r.world)
	if err != nil {
		return nil, err
	}
	if r.wants("start", s.Only) && r.wants("start", r.only) {
		if err := r.starts(ctx, s, dir, all); err != nil {
			return nil, err
		}
	}
	server, err := subject.Start(ctx, s, r.programs[s.Name], dir)
	if err != nil {
		return nil, err
	}
	return welcome(server, r.world, all), nil
}
