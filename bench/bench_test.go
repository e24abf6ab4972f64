package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/bench/report"
)

// TestEverythingRuns runs every case on every subject at toy size. It checks whether the results are right, not how
// fast they were.
func TestEverythingRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and serves the subjects")
	}
	figures, chart := filepath.Join(t.TempDir(), "bench.json"), filepath.Join(t.TempDir(), "bench.svg")
	err := runBench(t.Context(), []string{"-toy", "-subjects", "plain,careful,doubletap,bare", "-json", figures, "-svg", chart})
	if err != nil {
		t.Fatal(err)
	}
	var r report.Report
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split("start,likes-1,likes-16,likes-64,feed-1,feed-8,feed-64,tray-8,grid-8,comment-16,burst,upload,thumb,notify-1,notify-1-load,notify-50,notify-50-load", ",") {
		for _, side := range []string{"plain", "careful", "doubletap"} {
			result := r.Results[name][side]
			if result == nil || len(result.Median) == 0 {
				t.Errorf("%s has no figures of %s", side, name)
				continue
			}
			for _, wrong := range result.Wrong {
				if side != "plain" { // plain loses counts, and the report has to show that
					t.Errorf("%s, %s: %s", side, name, wrong)
				}
			}
		}
	}
	if made, _ := r.FigureOf("burst", report.TrayRows, "doubletap"); made != 1 {
		t.Errorf("a burst of likes made %g notifications, want 1", made)
	}
	if _, ok := r.FigureOf("likes-64", "rate", "bare"); !ok || len(r.Limits) == 0 {
		t.Error("the limits were not measured")
	}
	checkWellFormed(t, chart)
}

func checkWellFormed(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := xml.NewDecoder(f); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct{ flags, want string }{
		{"-cases likes,feed-8", ""},
		{"-cases nothing", `no case "nothing"`},
		{"-subjects plain,mongo", `no subject "mongo"`},
	} {
		_, err := parseFlags(strings.Fields(c.flags))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.flags, err, c.want)
		}
	}
	c, err := parseFlags(strings.Fields("-quick -cases likes,feed-8"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"likes-64": true, "feed-8": true, "feed-1": false, "start": false} {
		if got := c.wantsCase(name, nil); got != want {
			t.Errorf("wants %s: got %v, want %v", name, got, want)
		}
	}
	if c.wantsCase("feed-8", []string{"likes"}) {
		t.Error("a subject that only takes likes was asked for a feed")
	}
}
