package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/job"
)

// jobsPerTx is how many jobs one transaction changes, so that a server beside the command never waits for long.
const jobsPerTx = 500

func jobsCommand(app core.App, prepare func() error) *cobra.Command {
	jobs := &cobra.Command{
		Use:   "jobs",
		Short: "Look at the background jobs, and begin, forget or run them",
		Long: "A job is work that outlives its request: a mail, a push message, a webhook, an erasure. It is ready until it is\n" +
			"due, running while somebody has it, and dead when its attempts are spent. All of this may run beside a server.",
	}
	jobs.AddCommand(jobsList(app), jobsRetry(app), jobsPurge(app), jobsDrain(app, prepare))
	for _, c := range jobs.Commands() {
		c.SilenceUsage, c.SilenceErrors = true, true
	}
	return jobs
}

func jobsList(app core.App) *cobra.Command {
	var f job.Filter
	var asJSON bool
	var limit int
	c := &cobra.Command{
		Use:   "ls",
		Short: "Count the jobs by kind and state, or list those of a kind or a state",
		Example: "  doubletap jobs ls\n" +
			"  doubletap jobs ls --state dead --json",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			if f.State != "" && !slices.Contains([]string{"ready", "running", "dead"}, f.State) {
				return fmt.Errorf("jobs ls: no job is %q: it is ready, running or dead", f.State)
			}
			if f.Kind == "" && f.State == "" {
				return countJobs(app, out, asJSON)
			}
			rows, err := job.ListMatching(app, f, limit)
			if err != nil {
				return fmt.Errorf("jobs ls: %w", err)
			}
			if asJSON {
				return printJSON(out, rows)
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tKIND\tSTATE\tATTEMPTS\tDUE\tERROR")
			for _, r := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", r.ID, r.Kind, r.State, r.Attempts, r.RunAt, strings.Join(strings.Fields(r.Error), " "))
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&f.Kind, "kind", "", "list jobs of this kind")
	c.Flags().StringVar(&f.State, "state", "", "list jobs that are ready, running or dead")
	c.Flags().IntVar(&limit, "limit", 100, "list no more than this, the longest due first")
	c.Flags().BoolVar(&asJSON, "json", false, "print an array: of {kind, ready, running, dead}, or of the jobs")
	return c
}

// jobCount is one line of jobs ls.
type jobCount struct {
	Kind    string `json:"kind"`
	Ready   int    `json:"ready"`
	Running int    `json:"running"`
	Dead    int    `json:"dead"`
}

func countJobs(app core.App, out io.Writer, asJSON bool) error {
	counts, err := job.CountByState(app)
	if err != nil {
		return fmt.Errorf("jobs ls: %w", err)
	}
	all := []jobCount{}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		n := counts[kind]
		all = append(all, jobCount{kind, n["ready"], n["running"], n["dead"]})
	}
	if asJSON {
		return printJSON(out, all)
	}
	lag, err := job.QueueLag(app)
	if err != nil {
		return fmt.Errorf("jobs ls: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tREADY\tRUNNING\tDEAD")
	for _, n := range all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", n.Kind, n.Ready, n.Running, n.Dead)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if lag > 0 {
		fmt.Fprintf(out, "the longest due waits for %s\n", lag.Round(time.Second))
	}
	return nil
}

func printJSON(out io.Writer, value any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

func jobsRetry(app core.App) *cobra.Command {
	var f job.Filter
	c := &cobra.Command{
		Use:   "retry [id]...",
		Short: "Have dead jobs begin anew, with all their attempts",
		Long: "Have dead jobs begin anew, with all their attempts: those named, those of a kind, or --all.\n" +
			"An event that a webhook did not take within its three days is dead for good here; webhooks replay sends it again.",
		Example: "  doubletap jobs retry --kind mail.notification",
		RunE: func(c *cobra.Command, ids []string) error {
			return changeJobs(app, c, f, ids, job.RetryDead, "jobs retry", "begin anew")
		},
	}
	c.Flags().StringVar(&f.Kind, "kind", "", "those of this kind")
	c.Flags().Bool("all", false, "those of every kind")
	return c
}

func jobsPurge(app core.App) *cobra.Command {
	var f job.Filter
	var older time.Duration
	c := &cobra.Command{
		Use:     "purge [id]...",
		Short:   "Forget dead jobs",
		Long:    "Forget dead jobs: those named, those of a kind, or --all. What waits or runs is left alone.",
		Example: "  doubletap jobs purge --all --older 720h",
		RunE: func(c *cobra.Command, ids []string) error {
			if older > 0 {
				f.Before = clock.Now(app).Add(-older)
			}
			return changeJobs(app, c, f, ids, job.PurgeDead, "jobs purge", "are forgotten")
		},
	}
	c.Flags().StringVar(&f.Kind, "kind", "", "those of this kind")
	c.Flags().Bool("all", false, "those of every kind")
	c.Flags().DurationVar(&older, "older", 0, "only those that died longer ago, such as 168h")
	return c
}

// changeJobs applies change to the dead jobs that a command names, jobsPerTx at a time.
func changeJobs(app core.App, c *cobra.Command, f job.Filter, ids []string, change func(core.App, job.Filter, int) (int64, error), name, became string) error {
	all, _ := c.Flags().GetBool("all")
	if len(ids) == 0 && f.Kind == "" && !all {
		return fmt.Errorf("%s: which? give ids, --kind or --all", name)
	}
	f.IDs, f.State = ids, "dead"
	total, err := job.CountMatching(app, f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	shown, done := newProgress("jobs"), 0
	err = interruptible(app, func(ctx context.Context) error {
		for done < total {
			if ctx.Err() != nil {
				return fmt.Errorf("interrupted: %d of %d are done", done, total)
			}
			var n int64
			err := db.RunInWriteTx(app, func(tx core.App) (err error) {
				n, err = change(tx, f, jobsPerTx)
				return err
			})
			if err != nil || n == 0 { // 0 when others have changed them meanwhile
				return err
			}
			done += int(n)
			shown.reportCount(done, max(total, done))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(c.OutOrStdout(), "%d jobs %s\n", done, became)
	return nil
}

func jobsDrain(app core.App, prepare func() error) *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "drain",
		Short: "Run the jobs that are due until none is",
		Long: "Run the jobs that are due, and those they add, until none is due and none runs. Beside a server both take\n" +
			"their share. A job that fails waits for its next attempt as ever, and is not waited for.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := drainJobs(app, prepare, timeout)
			if err != nil {
				return fmt.Errorf("jobs drain: %w", err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%d jobs are over\n", n)
			return nil
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "give up after this long")
	return c
}

// drainJobs runs due jobs until none are left and returns how many are done: the highest count of due jobs that it saw,
// less those that are left.
func drainJobs(app core.App, prepare func() error, timeout time.Duration) (over int, err error) {
	jobs := job.RunnerOf(app)
	if jobs == nil {
		return 0, errors.New("there is nobody to run them")
	}
	if err := prepare(); err != nil {
		return 0, err
	}
	most, err := jobs.CountDue()
	if err != nil {
		return 0, err
	}
	err = interruptible(app, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		jobs.Start()
		defer func() {
			ending, end := context.WithTimeout(context.WithoutCancel(ctx), 25*time.Second)
			defer end()
			err = errors.Join(err, jobs.Stop(ending))
		}()
		shown := newProgress("jobs")
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			left, err := jobs.CountDue()
			if err != nil {
				return err
			}
			most = max(most, left)
			over = most - left
			shown.reportCount(over, most)
			if left == 0 {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%d jobs are left: %w", left, context.Cause(ctx))
			case <-tick.C:
			}
		}
	})
	return over, err
}
