package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// healthcheckCommand asks a running server whether it can do its work, for containers and process managers.
func healthcheckCommand() *cobra.Command {
	var address, url string
	var timeout time.Duration
	c := &cobra.Command{
		Use:         "healthcheck",
		Short:       "Ask the server on this machine whether it can do its work",
		Long:        "Ask the server on this machine whether it can do its work (/readyz). The status is 0 if it can, and 1 if not.",
		Args:        cobra.NoArgs,
		Annotations: map[string]string{opensNothing: "true"},
		RunE: func(c *cobra.Command, _ []string) error {
			at := url
			if at == "" {
				host, port, err := net.SplitHostPort(cmp.Or(address, os.Getenv("DOUBLETAP_HTTP"), "127.0.0.1:8090"))
				if err != nil {
					return fmt.Errorf("healthcheck: %w", err)
				}
				if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
					host = "127.0.0.1"
				}
				at = "http://" + net.JoinHostPort(host, port)
			}
			return askReadiness(c.Context(), at+"/readyz", timeout, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&address, "http", "", "the address that the server listens on (default DOUBLETAP_HTTP or 127.0.0.1:8090)")
	c.Flags().StringVar(&url, "url", "", "the server's address with its scheme, such as https://photos.example, in place of --http")
	c.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the answer")
	return c
}

func askReadiness(ctx context.Context, at string, timeout time.Duration, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil) // #nosec G704 -- the operator says whom to ask
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	answer, err := http.DefaultClient.Do(request) // #nosec G704 -- the operator says whom to ask
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("healthcheck: read the answer of %s: %w", at, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answers %d: %s", at, answer.StatusCode, text)
	}
	_, err = fmt.Fprintln(out, "ready")
	return err
}
