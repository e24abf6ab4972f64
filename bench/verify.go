package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/doubletap/doubletap/bench/report"
	"github.com/doubletap/doubletap/bench/stored"
	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/internal/load"
)

// acknowledgedWrites returns what the server has acknowledged so far.
func (s *servedSubject) acknowledgedWrites() stored.Acknowledged {
	return stored.Acknowledged{
		Likes: int(s.Likes.Load()), Comments: int(s.Comments.Load()), Posts: int(s.Uploads.Load()), UnknownWrites: int(s.UnknownWrites.Load()),
	}
}

// readStoredRows counts the rows in the folder of a running server.
func (r *runner) readStoredRows(ctx context.Context, g *servedSubject, post string) (*stored.Rows, error) {
	out, err := subject.RunTool(ctx, r.tool, "check", g.Dir, g.Kind, r.world.Size, "-post", post)
	if err != nil {
		return nil, err
	}
	rows := &stored.Rows{}
	return rows, json.Unmarshal(out, rows)
}

// verifyCase returns in words what is wrong with the rows that a case has stored since lastRows, or "". had is what
// the server had acknowledged before the case.
func (r *runner) verifyCase(ctx context.Context, g *servedSubject, k load.Case, had stored.Acknowledged, results []load.Row) string {
	post := ""
	if k.Name == "burst" && len(g.lastOwner.Posts) > 0 {
		post = g.lastOwner.Posts[0]
	}
	now, err := r.readStoredRows(ctx, g, post)
	if err != nil {
		return err.Error()
	}
	has := g.acknowledgedWrites()
	wrong := stored.CompareRows(*g.lastRows, *now, stored.Acknowledged{
		Likes: has.Likes - had.Likes, Comments: has.Comments - had.Comments, Posts: has.Posts - had.Posts, UnknownWrites: has.UnknownWrites - had.UnknownWrites,
	})
	g.lastRows = now
	if post != "" && len(results) == 1 {
		made := now.Tray - r.world.Likes // the seeded likes have a notification each
		if g.Kind == "doubletap" {
			made = now.Tray - 1 // the seeded likes share one notification
			if made != 1 {
				wrong = joinNotes(wrong, fmt.Sprintf("%d notifications of one post", made))
			}
		}
		results[0].Metrics[report.TrayRows] = float64(made)
	}
	return wrong
}

// measureStarts measures a server without any client, and with listeners alone.
func (r *runner) measureStarts(ctx context.Context, s subject.Subject, dir string, all []load.Person) error {
	m := load.Metrics{}
	program, err := fileSize(r.programs[s.Name])
	if err != nil {
		return err
	}
	m[report.Binary] = float64(program) / 1e6
	var cold []time.Duration
	for n := range r.startCount {
		server, err := subject.Start(ctx, s, r.programs[s.Name], dir)
		if err != nil {
			return err
		}
		cold = append(cold, server.ColdStart)
		if n == r.startCount-1 {
			err = r.measureListeners(ctx, s, newServedSubject(server, r.world, all), m)
		}
		server.Stop()
		if err != nil {
			return err
		}
	}
	slices.Sort(cold)
	m[report.Cold] = float64(cold[r.startCount/2].Microseconds()) / 1000
	r.report.AddRound("start"+r.suffix, s.Name, m, "")
	return nil
}

// measureListeners measures the memory of a fresh server: idle, with as many listeners as the largest case has, and
// again after these have been idle for a while.
func (r *runner) measureListeners(ctx context.Context, s subject.Subject, g *servedSubject, m load.Metrics) error {
	time.Sleep(r.run / 4)
	idle, err := g.Memory()
	if err != nil {
		return err
	}
	m[report.Idle] = float64(idle) / 1e6
	n := slices.Max(r.listeners)
	disconnect, err := load.ConnectListeners(ctx, g.Target, n)
	defer disconnect()
	if err != nil {
		return err
	}
	time.Sleep(r.run / 2)
	full, err := g.Memory()
	if err != nil {
		return err
	}
	m[report.Connected] = float64(full) / 1e6
	m[report.Listener] = float64(full-idle) / 1e3 / float64(n)
	if r.rested[s.Name] {
		return nil
	}
	r.rested[s.Name] = true
	time.Sleep(r.restDuration)
	if full, err = g.Memory(); err != nil {
		return err
	}
	m[report.AtRest] = float64(full) / 1e6
	return nil
}

// measureRaw measures SQLite alone, if the bare server takes part.
func (r *runner) measureRaw(ctx context.Context) error {
	if !slices.ContainsFunc(r.subjects, func(s subject.Subject) bool { return s.Name == "bare" }) {
		return nil
	}
	dir := filepath.Join(r.bench.Run, "raw")
	if err := subject.CopyFolder(r.folders["careful"], dir); err != nil {
		return err
	}
	out, err := subject.RunTool(ctx, r.tool, "raw", dir, "careful", r.world.Size, "-run", (r.run / 2).String())
	if err != nil {
		return err
	}
	return json.Unmarshal(out, &r.report.Limits)
}
