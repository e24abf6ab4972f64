package report

import (
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/load"
)

func sampleReport() *Report {
	r := &Report{Subjects: []Side{{"plain", "as documented"}, {"careful", "as an expert"}, {"doubletap", "ours"}}}
	for i, name := range []string{"plain", "careful", "doubletap"} {
		for round := range 3 {
			r.AddRound("likes-64", name, load.Metrics{load.Rate: float64([]int{1000, 2000, 6000}[i] + round), load.P99: float64([]int{140, 90, 30}[i])}, "")
		}
	}
	r.AddRound("feed-1", "careful", load.Metrics{load.P50: 3}, "")
	r.AddRound("feed-1", "doubletap", load.Metrics{load.P50: 0.5}, "a row of somebody else's")
	r.AddRound("feed-1", "plain", nil, "no figures")
	return r
}

func TestTableShowsRatiosAndWhatIsWrong(t *testing.T) {
	var text strings.Builder
	if err := sampleReport().WriteTable(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"likes, 64 at once", "| 6,001", "| **3.00**", "| **6.00**", // a higher rate is better
		"| 30.0", "| **4.67**", // a lower time is better
		"| 0.50 ✗", "| failed ✗",
		"- ✗ doubletap, feed-1: a row of somebody else's",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestChartShowsWhatWasMeasured(t *testing.T) {
	chart := sampleReport().renderChart()
	for _, want := range []string{"likes a second, 64 at once", "3.00×  (6,001)", "0.50×  (1,001)", "feed page, ms", "prefers-color-scheme:dark"} {
		if !strings.Contains(chart, want) {
			t.Errorf("no %q in the chart", want)
		}
	}
	if strings.Contains(chart, "1,000 people connected") {
		t.Error("the chart shows what was not measured")
	}
}

func TestMedian(t *testing.T) {
	m := medianMetrics([]load.Metrics{{"a": 5}, {"a": 1, "b": 2}, {"a": 3, "b": 4}})
	if m["a"] != 3 || m["b"] != 3 {
		t.Errorf("got %v, want a 3, b 3", m)
	}
}

func TestTitles(t *testing.T) {
	for name, want := range map[string]string{
		"likes-16":         "likes, 16 at once",
		"notify-1000-load": "like → socket of the owner under load, 1000 others",
		"notify-10":        "like → socket of the owner, idle, 10 others",
		"feed-1@10 ×":      "feed page, 1 at once, at 10 × the data",
		"burst":            "one post liked by many, 64 at once",
	} {
		if got := caseTitle(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
