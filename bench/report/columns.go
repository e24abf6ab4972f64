package report

import (
	"fmt"
	"strings"

	"github.com/doubletap/doubletap/internal/load"
)

// The names of metrics of a server, not of a load.
const (
	Cold      = "cold"      // milliseconds from the start of the process to the first answer
	Binary    = "binary"    // megabytes of the program's file
	Idle      = "idle"      // megabytes of memory before the first client
	Connected = "connected" // megabytes of memory with all listeners connected
	Listener  = "listener"  // kilobytes of memory for each listener
	AtRest    = "settled"   // megabytes of memory after the listeners have been idle for a while
	After     = "after"     // megabytes of memory at the end of the case
	TrayRows  = "trayRows"  // notifications that the burst of likes of one post made
)

// column says how a metric is shown.
type column struct {
	metric, unit   string
	higherIsBetter bool
}

// The cases after which the memory is shown; the JSON has it for all cases.
var memoryCases = []string{"likes-64", "feed-64", "upload"}

var columns = []column{
	{load.Rate, "per second", true}, {load.P50, "p50 ms", false}, {load.P99, "p99 ms", false}, {load.CPU, "CPU µs each", false},
	{TrayRows, "notifications made", false}, {After, "memory after, MB", false},
	{Cold, "cold start ms", false}, {Binary, "program MB", false}, {Idle, "memory idle MB", false},
	{Connected, "memory with listeners MB", false}, {Listener, "KB a listener", false},
	{AtRest, "memory when they rest MB", false},
}

// caseTitle returns a case's description for the table.
func caseTitle(name string) string {
	name, grown, _ := strings.Cut(name, "@")
	var n int
	text := name
	for _, t := range []struct{ format, text string }{
		{"notify-%d-load", "like → socket of the owner under load, %d others"}, {"notify-%d", "like → socket of the owner, idle, %d others"},
		{"likes-%d", "likes, %d at once"}, {"feed-%d", "feed page, %d at once"}, {"tray-%d", "notifications page, %d at once"},
		{"grid-%d", "profile grid, %d at once"}, {"comment-%d", "comments, %d at once"},
	} {
		// Sscanf accepts a name that differs after the number, so format the number again and compare
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

// improvement returns how many times as good ours is as theirs; above 1 is better.
func (c column) improvement(ours, theirs float64) float64 {
	if c.higherIsBetter {
		return ours / theirs
	}
	return theirs / ours
}

// formatNumber returns x with about three significant digits, and thousands with commas.
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
