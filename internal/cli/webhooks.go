package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/webhook"
)

func webhooksCommand(app core.App) *cobra.Command {
	webhooks := &cobra.Command{
		Use:   "webhooks",
		Short: "Look at the webhooks, send events again, change secrets",
		Long:  "Webhooks are made in the dashboard, in the collection webhooks. A server beside us knows of a change within half a minute.",
	}
	webhooks.AddCommand(webhooksList(app), webhooksReplay(app), webhooksRotate(app), webhooksEnable(app))
	for _, c := range webhooks.Commands() {
		c.SilenceUsage, c.SilenceErrors = true, true
	}
	return webhooks
}

func webhooksList(app core.App) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "ls",
		Short: "List the webhooks, how they do, and how many events wait for them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := webhook.ListStatuses(app)
			if err != nil {
				return fmt.Errorf("webhooks ls: %w", err)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), all)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tWAITING\tDEAD\tURL\tSTATE")
			for _, s := range all {
				state := "works"
				switch {
				case s.Disabled:
					state = "disabled: " + s.Reason
				case s.FailingSince != "":
					state = "fails since " + s.FailingSince
				}
				fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", s.ID, s.Waiting, s.Dead, s.URL, state)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array of {id, url, disabled, reason, failingSince, waiting, dead}")
	return c
}

func webhooksReplay(app core.App) *cobra.Command {
	var webhookID string
	c := &cobra.Command{
		Use:   "replay [delivery or event]...",
		Short: "Send events to their webhooks once more",
		Long: "Send events once more, under the same id: those named, or with --webhook all that it did not take in the end.\n" +
			"What is under way goes on as it is.",
		Example: "  doubletap webhooks replay evt_k3v9x0q2m7c1d5f\n" +
			"  doubletap webhooks replay --webhook 8c1x0q2m7k3v9d5",
		RunE: func(c *cobra.Command, names []string) error {
			if len(names) == 0 && webhookID == "" {
				return errors.New("webhooks replay: which? give ids or --webhook")
			}
			ids, err := webhook.FindDeliveries(app, webhookID, names)
			if err != nil {
				return fmt.Errorf("webhooks replay: %w", err)
			}
			if len(ids) == 0 && len(names) > 0 {
				return errors.New("webhooks replay: no such delivery or event")
			}
			shown := newProgress("events")
			err = interruptible(app, func(ctx context.Context) error {
				for i, id := range ids {
					if ctx.Err() != nil {
						return fmt.Errorf("interrupted: %d of %d are done", i, len(ids))
					}
					if err := db.RunInWriteTx(app, func(tx core.App) error { return webhook.Replay(tx, id) }); err != nil {
						return err
					}
					shown.reportCount(i+1, len(ids))
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("webhooks replay: %w", err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%d events are sent again\n", len(ids))
			return nil
		},
	}
	c.Flags().StringVar(&webhookID, "webhook", "", "what this webhook did not take in the end, or of it alone")
	return c
}

func webhooksRotate(app core.App) *cobra.Command {
	var overlap time.Duration
	c := &cobra.Command{
		Use:   "rotate webhook",
		Short: "Give a webhook a new secret, and print it",
		Long:  "Give a webhook a new secret, and print it. For the overlap, events are signed with the former one too, so that\nthe receiver can change over without losing one.",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			secret, err := webhook.RotateSecret(app, args[0], overlap)
			if err != nil {
				return fmt.Errorf("webhooks rotate: %w", err)
			}
			fmt.Fprintln(c.OutOrStdout(), secret)
			return nil
		},
	}
	c.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "for how long the former secret signs too")
	return c
}

func webhooksEnable(app core.App) *cobra.Command {
	return &cobra.Command{
		Use:   "enable webhook",
		Short: "Let a disabled webhook have events again, those that waited first",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := webhook.Enable(app, args[0]); err != nil {
				return fmt.Errorf("webhooks enable: %w", err)
			}
			fmt.Fprintln(c.OutOrStdout(), "it is enabled")
			return nil
		},
	}
}
