package report

import (
	"fmt"
	"strings"

	"doubletap/bench/load"
)

// The names of metrics that belong to a server and not to a load.
const (
	Cold      = "cold"      // milliseconds from the start of the process to the first answer
	Binary    = "binary"    // megabytes of the program
	Idle      = "idle"      // megabytes of memory before anybody came
	Connected = "connected" // megabytes with all listeners connected
	Listener  = "listener"  // kilobytes for each of them
	AtRest    = "settled"   // megabytes when they have been connected for a while and nothing happens
	After     = "after"     // megabytes when the case was over
	TrayRows  = "trayRows"  // notifications that one post's burst of likes made
)

// column is how a metric is shown.
type column struct {
	metric, unit   string
	higherIsBetter bool // more is better
}

// After which cases the memory is shown; the JSON has it for all.
var memoryCases = []string{"likes-64", "feed-64", "upload"}

var columns = []column{
	{load.Rate, "per second", true}, {load.P50, "p50 ms", false}, {load.P99, "p99 ms", false}, {load.CPU, "CPU µs each", false},
	{TrayRows, "notifications made", false}, {After, "memory after, MB", false},
	{Cold, "cold start ms", false}, {Binary, "program MB", false}, {Idle, "memory idle MB", false},
	{Connected, "memory with listeners MB", false}, {Listener, "KB a listener", false},
	{AtRest, "memory when they rest MB", false},
}

// caseTitle says in words what a case is.
func caseTitle(name string) string {
	name, grown, _ := strings.Cut(name, "@")
	var n int
	text := name
	for _, t := range []struct{ format, text string }{
		{"notify-%d-load", "like → socket of the owner under load, %d others"}, {"notify-%d", "like → socket of the owner, idle, %d others"},
		{"likes-%d", "likes, %d at once"}, {"feed-%d", "feed page, %d at once"}, {"tray-%d", "notifications page, %d at once"},
		{"grid-%d", "profile grid, %d at once"}, {"comment-%d", "comments, %d at once"},
	} {
		// Sscanf stops where the text differs, so print what was read and compare
		if _, err := fmt.Sscanf(name, t.format, &n); err == nil && fmt.Sprintf(t.format, n) == name {
			text = fmt.Sprintf(t.text, n)
			break
		}
	}
	switch name {
	case "burst":
		text = "one post liked by many, 64 at once"
	case "upload":
		text = "upload of a photo (CPU with both thumbs)"
	case "thumb":
		text = "first look at its thumbs"
	case "start":
		text = "the process"
	}
	if grown != "" {
		text += ", at " + grown + " the data"
	}
	return text
}

// improvement returns how many times as good ours is as theirs.
func (c column) improvement(ours, theirs float64) float64 {
	if c.higherIsBetter {
		return ours / theirs
	}
	return theirs / ours
}

// formatNumber shows three digits that matter.
func formatNumber(x float64) string {
	switch {
	case x >= 1000:
		whole := fmt.Sprintf("%.0f", x)
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		return whole
	case x >= 100 || x == 0:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
