package deliver

import (
	"archive/zip"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// quietWindows are quiet hours: by day, over midnight, and around the hours at which clocks are put forward and back.
var quietWindows = [9][2]string{
	{"22:00", "07:00"}, {"22:00", "02:30"}, {"23:30", "00:30"}, {"00:00", "01:00"}, {"01:30", "02:30"},
	{"02:00", "03:00"}, {"02:30", "01:30"}, {"12:00", "14:00"}, {"00:00", "23:59"},
}

// Wherever and whenever clocks change, the quiet hours end at the first minute that the wall clock shows outside of
// them.
func TestQuietHoursEndWhenTheWallSaysSo(t *testing.T) {
	checked := 0
	for _, place := range placesWhoseClocksChange(t) {
		changes := clockChangesOf(place, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		for _, change := range changes {
			for _, window := range quietWindows {
				p := Recipient{QuietFrom: window[0], QuietTo: window[1], Zone: place}
				for _, before := range []time.Duration{-5 * time.Hour, -time.Hour, -20 * time.Minute, 0, 40 * time.Minute} {
					now := change.Add(before)
					if got, want := p.afterQuietHours(now), firstLoudMinute(p, now); !got.Equal(want) {
						t.Errorf("%s, quiet %s to %s, at %s: %s, want %s", place, window[0], window[1], now.In(place), got.In(place), want.In(place))
					}
					checked++
				}
			}
		}
	}
	if checked < 10_000 {
		t.Fatalf("%d moments checked", checked)
	}
}

// A digest comes within a day and what a clock may be put back, three hours at most, and the wall clock shows its hour
// or has skipped it.
func TestTheMorningComesEverywhere(t *testing.T) {
	for _, place := range placesWhoseClocksChange(t) {
		for _, change := range clockChangesOf(place, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)) {
			for hour := range 24 {
				wall := time.Date(0, 1, 1, hour, 30, 0, 0, time.UTC)
				for _, before := range []time.Duration{-23 * time.Hour, -time.Hour, -time.Minute, 0} {
					now := change.Add(before).In(place)
					at := nextWallClock(now, wall)
					shown := at.Format(wallClockLayout) == wall.Format(wallClockLayout)
					skipped := at.Equal(change) && utcOffset(at) > utcOffset(at.Add(-time.Second))
					if wait := at.Sub(now); wait <= 0 || wait > 28*time.Hour || !shown && !skipped {
						t.Errorf("%s after %s: %s", wall.Format(wallClockLayout), now, at)
					}
				}
			}
		}
	}
}

// firstLoudMinute looks at the wall clock minute by minute.
func firstLoudMinute(p Recipient, now time.Time) time.Time {
	for at := now.In(p.Zone); ; at = at.Add(time.Minute) {
		wall := at.Format(wallClockLayout)
		quiet := p.QuietFrom <= wall && wall < p.QuietTo
		if p.QuietFrom > p.QuietTo {
			quiet = p.QuietFrom <= wall || wall < p.QuietTo
		}
		if !quiet {
			return at
		}
	}
}

func clockChangesOf(place *time.Location, from, to time.Time) (changes []time.Time) {
	for at := from.In(place); ; {
		change, found := clockChange(at)
		if !found || change.After(to) {
			return changes
		}
		changes, at = append(changes, change), change
	}
}

// placesWhoseClocksChange returns the zones of the database that have a change in these ten years, one of those that
// are alike.
func placesWhoseClocksChange(t *testing.T) (places []*time.Location) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	database, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	known := map[string]bool{}
	for _, file := range database.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		place, err := time.LoadLocation(file.Name)
		if err != nil {
			t.Fatalf("load %s: %v", file.Name, err)
		}
		var alike strings.Builder
		for _, change := range clockChangesOf(place, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)) {
			fmt.Fprint(&alike, change.Unix(), utcOffset(change), " ")
		}
		if alike.Len() > 0 && !known[alike.String()] {
			known[alike.String()] = true
			places = append(places, place)
		}
	}
	return places
}
