package cli

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

	"github.com/doubletap/doubletap/internal/load"
)

// BenchOptions says how `bench` measures a running server.
type BenchOptions struct {
	URL      string // http://host:port
	Email    string // of a superuser
	Password string
	People   int // how many are made for it; they are deleted afterwards
	Posts    int // how many each of them has
	Cases    []string
	Run      time.Duration
	Others   []int // how many others are connected in the cases of notifications
}

func benchCommand(app core.App) *cobra.Command {
	o := BenchOptions{}
	var admin string
	var asJSON bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure likes, pages and notifications of a running server",
		Long: "It makes people with posts on the server, has them like, look and listen, and deletes them again. The server must run\n" +
			"with DOUBLETAP_LIMITS=off, as they do more than people may.\n" +
			"The figures are those of this machine and the network between; `make bench` compares with plain PocketBase.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			var ok bool
			if o.Email, o.Password, ok = strings.Cut(admin, ":"); !ok {
				return fmt.Errorf("bench: --admin must be email:password of a superuser")
			}
			return interruptible(app, func(ctx context.Context) error {
				rows, err := RunBench(ctx, o, newProgress("people").reportCount)
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
	c.Flags().StringVar(&o.URL, "url", "http://127.0.0.1:8090", "the server")
	c.Flags().StringVar(&admin, "admin", "", "email:password of a superuser, who makes the people")
	c.Flags().IntVar(&o.People, "people", 100, "people to make")
	c.Flags().IntVar(&o.Posts, "posts", 5, "posts of each")
	c.Flags().StringSliceVar(&o.Cases, "cases", []string{"likes", "feed-8", "tray-8", "grid-8", "notify"}, "what to measure, by name or family")
	c.Flags().DurationVar(&o.Run, "for", 3*time.Second, "how long each case is measured")
	c.Flags().IntSliceVar(&o.Others, "others", []int{1, 50}, "how many others are connected while notifications are measured, fewer than the people")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// RunBench runs the benchmark's cases against a running server and returns their figures. It deletes the people that it
// made, also after an error.
func RunBench(ctx context.Context, o BenchOptions, report func(done, total int)) (rows []load.Row, err error) {
	address, err := url.Parse(o.URL)
	if err != nil || address.Scheme != "http" || address.Host == "" {
		return nil, fmt.Errorf("%q is no http://host:port", o.URL)
	}
	group, err := newBenchGroup(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if left := group.deletePeople(ctx); err == nil {
			err = left
		}
	}()
	if err := group.createPeople(ctx, report); err != nil {
		return nil, err
	}
	before := group.readHistograms()
	options := load.Options{Warm: o.Run / 4, Run: o.Run, Listeners: o.Others, Samples: 200, Likers: o.People - 1, Photo: group.photo, Photos: 5}
	for _, k := range load.AllCases() {
		family, _, _ := strings.Cut(k.Name, "-")
		if !slices.Contains(o.Cases, k.Name) && !slices.Contains(o.Cases, family) {
			continue
		}
		figures, err := k.Run(ctx, group.loadTarget(address.Host), options)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", k.Name, err)
		}
		rows = append(rows, figures...)
	}
	return append(rows, group.readHistograms().addedSince(before)...), nil
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

// loadTarget returns the server as the load generator needs it: everybody likes all posts but those of the owners.
func (g *benchGroup) loadTarget(host string) *load.Target {
	readers := g.people[:len(g.people)-ownerCount]
	t := &load.Target{Address: host, API: load.Doubletap, Readers: g.loadPersons(readers), Others: g.loadPersons(readers)}
	for _, p := range readers {
		t.Posts = append(t.Posts, p.posts...)
	}
	t.Like = func() (load.Person, string) {
		n := int(g.likes.Add(1)) - 1 // each pair of reader and post once; after all pairs, likes are repeats
		return t.Readers[(n+n/len(t.Posts))%len(t.Readers)], t.Posts[n%len(t.Posts)]
	}
	var turn atomic.Int64
	t.Owner = func() load.Owner {
		owner := g.people[len(g.people)-1-int(turn.Add(1)-1)%ownerCount]
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
