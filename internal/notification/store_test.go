package notification

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

// TestTrays goes through what people do and what is in ada's tray then.
func TestTrays(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(w *world)
		want []string
	}{
		"nobody is told of what they do themselves": {func(w *world) { w.like("ada") }, nil},
		"one like":                                        {func(w *world) { w.like("bob") }, []string{"like 1 bob unread"}},
		"a like that is told twice":                       {func(w *world) { w.like("bob"); w.like("bob") }, []string{"like 1 bob unread"}},
		"the newest actor comes first":                    {func(w *world) { w.like("bob"); w.like("cyn") }, []string{"like 2 cyn bob unread"}},
		"an actor who leaves":                             {func(w *world) { w.like("bob"); w.like("cyn"); w.unlike("cyn") }, []string{"like 1 bob unread"}},
		"the last actor who leaves":                       {func(w *world) { w.like("bob"); w.unlike("bob") }, nil},
		"a like and a comment are told apart":             {func(w *world) { w.like("bob"); w.comment("bob", "one") }, []string{"comment 1 bob unread", "like 1 bob unread"}},
		"a second comment is the same actor's":            {func(w *world) { w.comment("bob", "one"); w.comment("bob", "two") }, []string{"comment 1 bob unread"}},
		"eight are named, all are counted":                {func(w *world) { w.likeAll("bob cyn dan eve fay gus hal ivy jim") }, []string{"like 9 jim ivy hal gus fay eve dan cyn unread"}},
		"who is named no more moves up again":             {func(w *world) { w.likeAll("bob cyn dan eve fay gus hal ivy jim"); w.unlike("jim") }, []string{"like 8 ivy hal gus fay eve dan cyn bob unread"}},
		"twelve hours later a new group begins":           {func(w *world) { w.like("bob"); w.pass(12*time.Hour + time.Second); w.like("cyn") }, []string{"like 1 cyn unread", "like 1 bob unread"}},
		"a group takes actors for nearly twelve hours":    {func(w *world) { w.like("bob"); w.pass(12*time.Hour - time.Minute); w.like("cyn") }, []string{"like 2 cyn bob unread"}},
		"what was read is unread with a new actor":        {func(w *world) { w.like("bob"); w.read(); w.like("cyn") }, []string{"like 2 cyn bob unread"}},
		"what was read stays read when somebody leaves":   {func(w *world) { w.likeAll("bob cyn"); w.read(); w.unlike("cyn") }, []string{"like 1 bob"}},
		"done again within a day, it comes back silently": {func(w *world) { w.likeAll("bob cyn"); w.read(); w.unlike("bob"); w.like("bob") }, []string{"like 2 cyn bob"}},
		"done again alone, it comes back as read":         {func(w *world) { w.like("bob"); w.read(); w.unlike("bob"); w.like("bob") }, []string{"like 1 bob"}},
		"done again after a day, it is new":               {func(w *world) { w.like("bob"); w.unlike("bob"); w.pass(24*time.Hour + time.Second); w.like("bob") }, []string{"like 1 bob unread"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.do(w)
			w.expectTray("ada", c.want...)
		})
	}
}

func (w *world) likeAll(names string) {
	for name := range strings.FieldsSeq(names) {
		w.like(name)
	}
}

func (w *world) pass(d time.Duration) { clock.Advance(w.app, d) }

// read marks ada's tray as read, as POST /notifications/read does.
func (w *world) read() {
	w.Helper()
	now := clock.Timestamp(w.app)
	w.inTx(func(tx core.App) error { return MarkRead(tx, idOf("ada"), now) })
}

// TestSeqGrows follows ada's seq, by which a device that was away asks for what it lacks.
func TestSeqGrows(t *testing.T) {
	w := newWorld(t)
	last := ""
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"a like", func() { w.like("bob") }},
		{"another", func() { w.like("cyn") }},
		{"one that is taken back", func() { w.unlike("cyn") }},
		{"the last that is taken back", func() { w.unlike("bob") }},
		{"one that comes back", func() { w.like("bob") }},
	} {
		step.do()
		now := w.value(`SELECT printf('%09d', max(seq)) FROM (SELECT seq FROM notifications UNION ALL SELECT seq FROM retractions)`)
		if now <= last {
			t.Errorf("after %s the newest change has seq %s, after %s before", step.name, now, last)
		}
		last = now
		if top := w.value(`SELECT printf('%09d', seq) FROM settings WHERE user = '` + idOf("ada") + `'`); top != now {
			t.Errorf("after %s settings say %s, the newest change %s", step.name, top, now)
		}
	}
	w.like("bob") // whom ada was told of already
	if top := w.value(`SELECT printf('%09d', seq) FROM settings WHERE user = '` + idOf("ada") + `'`); top != last {
		t.Errorf("a like that is told twice is a change: seq %s after %s", top, last)
	}
	if n := w.value(`SELECT count(*) FROM retractions`); n != "0" {
		t.Errorf("%s retractions are left of what is in the tray again", n)
	}
}

// TestATakenBackNotificationComesBackUnderItsID keeps devices from showing one thing twice.
func TestATakenBackNotificationComesBackUnderItsID(t *testing.T) {
	w := newWorld(t)
	w.like("bob")
	id := w.value(`SELECT id FROM notifications`)
	w.unlike("bob")
	if gone := w.value(`SELECT notification FROM retractions`); gone != id {
		t.Errorf("%q is retracted, want %q", gone, id)
	}
	w.like("bob")
	if again := w.value(`SELECT id FROM notifications`); again != id {
		t.Errorf("it comes back as %q, was %q", again, id)
	}
}

// TestTheNewestCommentIsShown also counts its author once: the notification is of what was said last.
func TestTheNewestCommentIsShown(t *testing.T) {
	w := newWorld(t)
	w.comment("bob", "one")
	w.read()
	w.comment("bob", "two")
	if shown := w.value(`SELECT comment FROM notifications`); shown != "two000000000000" {
		t.Errorf("comment %s is shown", shown)
	}
	w.expectTray("ada", "comment 1 bob unread")
}
