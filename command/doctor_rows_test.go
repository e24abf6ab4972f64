package command

import (
	"strings"
	"testing"
)

func TestCountersAreThoseOfTheTriggers(t *testing.T) {
	shipped, err := ships()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"count_notification_events_notifications_actorsCount_in": true}
	for _, c := range counters {
		known["count_"+c.source+"_"+c.target+"_"+c.column+"_in"] = true
	}
	for _, o := range shipped.objects {
		if strings.HasPrefix(o.Name, "count_") && strings.HasSuffix(o.Name, "_in") {
			if !known[o.Name] {
				t.Errorf("the doctor does not count what %s does", o.Name)
			}
			delete(known, o.Name)
		}
	}
	for name := range known {
		t.Errorf("no trigger is called %s", name)
	}
}
