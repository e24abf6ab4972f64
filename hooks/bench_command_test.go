package hooks_test

import (
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/cli"
	"github.com/doubletap/doubletap/internal/load"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestBenchMeasuresARunningServerAndLeavesNobodyThere(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	before := s.Rows("users", "1")
	rows, err := cli.RunBench(t.Context(), cli.BenchOptions{
		URL: s.URL, Email: "admin@example.com", Password: hookstest.Password, People: 25, Posts: 5,
		Cases: []string{"likes-1", "likes-16", "feed-1", "tray", "grid", "notify"}, Run: 200 * time.Millisecond, Others: []int{1, 10},
	}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]load.Metrics{}
	for _, row := range rows {
		names[row.Name] = row.Metrics
		if failed := row.Metrics[load.Failed] + row.Metrics[load.Lost] + row.Metrics[load.Misdelivered]; failed > 0 || row.Metrics[load.P50] <= 0 {
			t.Errorf("%s: %v", row.Name, row.Metrics)
		}
	}
	for _, name := range []string{"likes-1", "likes-16", "feed-1", "tray-8", "grid-8", "notify-1", "notify-10-load", "server: commit to socket"} {
		if names[name] == nil {
			t.Errorf("no figures of %s among %v", name, names)
		}
	}
	s.RunJobs()
	if after := s.Rows("users", "1"); after != before {
		t.Errorf("%d users, %d before", after, before)
	}
}
