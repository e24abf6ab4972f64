// Bench compares Doubletap with two PocketBase apps that do the same, in turns, on one machine and with the same
// people and posts. See README.md for what is measured and where.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/doubletap/doubletap/bench/subject"
	"github.com/doubletap/doubletap/bench/world"
	"github.com/doubletap/doubletap/internal/load"
)

// config holds the values of the flags.
type config struct {
	size         world.Size
	rounds       int
	run          time.Duration
	cases        []string // cases or families; empty means all
	subjects     []string
	listeners    []int
	likers       int
	samples      int
	photos       int
	startCount   int           // how many starts of a process the median is taken of
	restDuration time.Duration // how long listeners do nothing before memory is measured again, once for each subject
	photo        int           // pixels of the photo's longer side
	growth       int
	json, svg    string
	profile      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runBench(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runBench(ctx context.Context, args []string) error {
	c, err := parseFlags(args)
	if err != nil {
		return err
	}
	b, err := subject.OpenBench(".")
	if err != nil {
		return err
	}
	defer b.Close()
	if c.profile != "" {
		return writeProfile(ctx, b, c)
	}
	r, err := measureAll(ctx, b, c)
	if err != nil {
		return err
	}
	if err := r.WriteTable(os.Stdout); err != nil {
		return err
	}
	if err := r.WriteJSON(c.json); err != nil {
		return err
	}
	return r.WriteChart(c.svg)
}

func parseFlags(args []string) (config, error) {
	c := config{size: world.Standard, rounds: 3, run: 4 * time.Second, listeners: []int{1, 100, 1000, 10_000}, likers: 10_000, samples: 200, photos: 8, photo: 4032, startCount: 5, restDuration: 130 * time.Second}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "small data and short rounds: shows that it works, says little about speed")
	toy := flags.Bool("toy", false, "smaller still, for the smoke test")
	rounds := flags.Int("rounds", 0, "rounds, of which medians are taken (default 3, with -quick 1)")
	seconds := flags.Float64("seconds", 0, "seconds that each case is measured in each round (default 4, with -quick 1)")
	cases := flags.String("cases", "", "comma-separated cases or families, such as likes,feed-8 (default all): "+caseNames())
	subjects := flags.String("subjects", "plain,careful,doubletap,normal,hooked,bare,bare-normal", "comma-separated subjects; there are also general, profiled, and without-X for each technique X of a like; see README.md")
	flags.IntVar(&c.growth, "growth", 0, "also measure likes, feed and notifications with so many times the data, such as 10")
	flags.StringVar(&c.json, "json", "bench.json", "file for all figures")
	flags.StringVar(&c.svg, "svg", "bench.svg", "file for the chart")
	flags.StringVar(&c.profile, "profile", "", "instead of all that, write a CPU profile of Doubletap under the -cases (default likes-16) to this file")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if *quick {
		c.size, c.rounds, c.run, c.listeners = world.Quick, 1, time.Second, []int{1, 100, 1000}
		c.likers, c.samples, c.photos, c.photo, c.restDuration = 1000, 50, 2, 2000, time.Second
	}
	if *toy {
		c.size, c.rounds, c.run, c.listeners = world.Toy, 1, 300*time.Millisecond, []int{1, 50}
		c.likers, c.samples, c.photos, c.photo, c.startCount, c.restDuration = 200, 10, 1, 800, 1, 0
	}
	if *rounds > 0 {
		c.rounds = *rounds
	}
	if *seconds > 0 {
		c.run = time.Duration(*seconds * float64(time.Second))
	}
	c.subjects = splitList(*subjects)
	for _, name := range c.subjects {
		if _, ok := subject.FindSubject(name); !ok {
			return c, fmt.Errorf("no subject %q", name)
		}
	}
	c.cases = splitList(*cases)
	for _, word := range c.cases {
		if !slices.ContainsFunc(strings.Split(caseNames(), ","), func(name string) bool { return isChosen(name, []string{word}) }) {
			return c, fmt.Errorf("no case %q; there are %s", word, caseNames())
		}
	}
	return c, nil
}

func splitList(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// caseNames returns the names of all cases, separated by commas.
func caseNames() string {
	all := []string{"start"}
	for _, k := range load.AllCases() {
		all = append(all, k.Name)
	}
	return strings.Join(all, ",")
}

// wantsCase reports whether a case is in both the flag's list and a subject's own, where an empty list has all cases.
func (c config) wantsCase(name string, only []string) bool {
	return isChosen(name, c.cases) && isChosen(name, only)
}

// isChosen reports whether a list is empty, or has the case or its family: likes is the family of likes-1, likes-16
// and likes-64.
func isChosen(name string, list []string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(word string) bool { return name == word || strings.HasPrefix(name, word+"-") })
}
