package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"doubletap/bench/load"
)

// BenchOptions is how `bench` tries a running server.
type BenchOptions struct {
	URL      string // http://host:port
	Email    string // of a superuser
	Password string
	People   int // who are made for it, and leave afterwards
	Posts    int // of each
	Cases    []string
	Run      time.Duration
	Others   []int // connected, in the cases of notifications
}

func benchCommand(app core.App) *cobra.Command {
	t := BenchOptions{}
	var admin string
	var asJSON bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure likes, pages and notifications of a running server",
		Long: "It makes people with posts on the server, has them like, look and listen, and deletes them again.\n" +
			"The figures are those of this machine and the network between; `make bench` compares with plain PocketBase.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			var ok bool
			if t.Email, t.Password, ok = strings.Cut(admin, ":"); !ok {
				return fmt.Errorf("bench: --admin must be email:password of a superuser")
			}
			return interruptible(app, func(ctx context.Context) error {
				rows, err := RunBench(ctx, t, newProgress("people").reportCount)
				if err != nil {
					return fmt.Errorf("bench: %w", err)
				}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(rows)
				}
				return printRows(c.OutOrStdout(), rows)
			})
		},
	}
	c.Flags().StringVar(&t.URL, "url", "http://127.0.0.1:8090", "the server")
	c.Flags().StringVar(&admin, "admin", "", "email:password of a superuser, who makes the people")
	c.Flags().IntVar(&t.People, "people", 100, "people to make")
	c.Flags().IntVar(&t.Posts, "posts", 5, "posts of each")
	c.Flags().StringSliceVar(&t.Cases, "cases", []string{"likes", "feed-8", "tray-8", "grid-8", "notify"}, "what to measure, by name or family")
	c.Flags().DurationVar(&t.Run, "for", 3*time.Second, "how long each case is measured")
	c.Flags().IntSliceVar(&t.Others, "others", []int{1, 50}, "how many others are connected while notifications are measured, fewer than the people")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// RunBench runs the benchmark's cases against a running server and returns their figures. The people it makes are
// deleted again, whatever comes.
func RunBench(ctx context.Context, t BenchOptions, report func(done, total int)) (rows []load.Row, err error) {
	address, err := url.Parse(t.URL)
	if err != nil || address.Scheme != "http" || address.Host == "" {
		return nil, fmt.Errorf("%q is no http://host:port", t.URL)
	}
	visit, err := newBenchGroup(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() {
		if left := visit.deletePeople(); err == nil {
			err = left
		}
	}()
	if err := visit.createPeople(ctx, report); err != nil {
		return nil, err
	}
	before := visit.readHistograms()
	options := load.Options{Warm: t.Run / 4, Run: t.Run, Listeners: t.Others, Samples: 200, Likers: t.People - 1, Photo: visit.photo, Photos: 5}
	for _, k := range load.AllCases() {
		family, _, _ := strings.Cut(k.Name, "-")
		if !slices.Contains(t.Cases, k.Name) && !slices.Contains(t.Cases, family) {
			continue
		}
		figures, err := k.Run(ctx, visit.loadTarget(address.Host), options)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", k.Name, err)
		}
		rows = append(rows, figures...)
	}
	return append(rows, visit.readHistograms().addedSince(before)...), nil
}

func printRows(out io.Writer, rows []load.Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tper second\tp50 ms\tp99 ms\tfailed\t")
	for _, row := range rows {
		m := row.Metrics
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t%.0f\t\n", row.Name, m[load.Rate], m[load.P50], m[load.P99], m[load.Failed]+m[load.Lost])
	}
	return w.Flush()
}

// loadTarget is the server as the load generator sees it: everybody likes everybody's posts but the owners'.
func (v *benchGroup) loadTarget(host string) *load.Target {
	readers := v.people[:len(v.people)-ownerCount]
	t := &load.Target{Address: host, API: load.Doubletap, Readers: v.loadPersons(readers), Others: v.loadPersons(readers)}
	for _, p := range readers {
		t.Posts = append(t.Posts, p.posts...)
	}
	t.Like = func() (load.Person, string) {
		n := int(v.likes.Add(1)) - 1 // each pair once; after all of them, likes are repeats
		return t.Readers[(n+n/len(t.Posts))%len(t.Readers)], t.Posts[n%len(t.Posts)]
	}
	var turn atomic.Int64
	t.Owner = func() load.Owner {
		owner := v.people[len(v.people)-1-int(turn.Add(1)-1)%ownerCount]
		o := load.Owner{Person: owner.Person, Posts: owner.posts}
		o.Liker = func(_, n int) (load.Person, bool) {
			if n >= len(t.Readers) {
				return load.Person{}, false
			}
			return t.Readers[n], true
		}
		return o
	}
	return t
}
