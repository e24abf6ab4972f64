package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"doubletap/bench/load"
	"doubletap/bench/report"
	"doubletap/bench/stored"
	"doubletap/bench/subject"
)

// wrote is what the server has acknowledged so far.
func (g *guest) wrote() stored.Wrote {
	return stored.Wrote{
		Likes: int(g.Likes.Load()), Comments: int(g.Comments.Load()), Posts: int(g.Uploads.Load()), Unclear: int(g.Unclear.Load()),
	}
}

// check looks into the folder of a server that is up.
func (r *runner) check(ctx context.Context, g *guest, post string) (*stored.Rows, error) {
	out, err := subject.Tool(ctx, r.tool, "check", g.Dir, g.Kind, r.world.Size, "-post", post)
	if err != nil {
		return nil, err
	}
	rows := &stored.Rows{}
	return rows, json.Unmarshal(out, rows)
}

// verify returns what is wrong with what a case left behind since the guest's last look.
func (r *runner) verify(ctx context.Context, g *guest, k load.Case, had stored.Wrote, results []load.Row) string {
	post := ""
	if k.Name == "burst" && len(g.owner.Posts) > 0 {
		post = g.owner.Posts[0]
	}
	now, err := r.check(ctx, g, post)
	if err != nil {
		return err.Error()
	}
	has := g.wrote()
	wrong := stored.Compare(*g.rows, *now, stored.Wrote{
		Likes: has.Likes - had.Likes, Comments: has.Comments - had.Comments, Posts: has.Posts - had.Posts, Unclear: has.Unclear - had.Unclear,
	})
	g.rows = now
	if post != "" && len(results) == 1 {
		made := now.Tray - r.world.Likes // as many notifications as the post had likes
		if g.Kind == "doubletap" {
			made = now.Tray - 1 // one for all of them
			if made != 1 {
				wrong = join(wrong, fmt.Sprintf("%d notifications of one post", made))
			}
		}
		results[0].Metrics[report.TrayRows] = float64(made)
	}
	return wrong
}

// starts measures a server before anybody comes, and with nobody but listeners.
func (r *runner) starts(ctx context.Context, s subject.Subject, dir string, all []load.Person) error {
	m := load.Metrics{}
	program, err := size(r.programs[s.Name])
	if err != nil {
		return err
	}
	m[report.Binary] = float64(program) / 1e6
	var cold []time.Duration
	for n := range r.tries {
		server, err := subject.Start(ctx, s, r.programs[s.Name], dir)
		if err != nil {
			return err
		}
		cold = append(cold, server.Cold)
		if n == r.tries-1 {
			err = r.listened(ctx, s, welcome(server, r.world, all), m)
		}
		server.Stop()
		if err != nil {
			return err
		}
	}
	slices.Sort(cold)
	m[report.Cold] = float64(cold[r.tries/2].Microseconds()) / 1000
	r.report.Add("start"+r.suffix, s.Name, m, "")
	return nil
}

// listened measures the memory of a fresh server: idle, with as many listeners as there are in any case, and when these
// have been there for a while.
func (r *runner) listened(ctx context.Context, s subject.Subject, g *guest, m load.Metrics) error {
	time.Sleep(r.run / 4)
	idle, err := g.Memory()
	if err != nil {
		return err
	}
	m[report.Idle] = float64(idle) / 1e6
	n := slices.Max(r.listeners)
	disconnect, err := load.Connect(ctx, g.Target, n)
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
	time.Sleep(r.rest)
	if full, err = g.Memory(); err != nil {
		return err
	}
	m[report.Settled] = float64(full) / 1e6
	return nil
}

// raw measures SQLite alone, when the bare server takes part.
func (r *runner) raw(ctx context.Context) error {
	if !slices.ContainsFunc(r.subjects, func(s subject.Subject) bool { return s.Name == "bare" }) {
		return nil
	}
	dir := filepath.Join(r.bench.Run, "raw")
	if err := subject.Copy(r.folders["careful"], dir); err != nil {
		return err
	}
	out, err := subject.Tool(ctx, r.tool, "raw", dir, "careful", r.world.Size, "-run", (r.run / 2).String())
	if err != nil {
		return err
	}
	return json.Unmarshal(out, &r.report.Limits)
}
