package inbox

import (
	"fmt"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	maxSentRows    = 128  // new rows of which a tray knows that they were sent
	maxTrayCursors = 1000 // people whose cursor a superuser's tray knows
)

// tray is where a device stands in its person's notifications; a superuser's, in those of
// everybody who is heard of. What it was sent of the rows that are new to it is remembered in
// bounds: beyond them, the oldest counts as known.
type tray struct {
	person string // whose it is; empty for a superuser's

	mu          sync.Mutex       // guards all below: several people's changes may reach a superuser at once
	cursor      int64            // the seq up to which all was sent
	cursors     map[string]int64 // by person, in a superuser's tray
	knownBefore string           // rows created earlier are known to the device
	sentRows    []trayRow        // of those created later
}

type trayRow struct {
	ID      string `db:"id"`
	Created string `db:"created"`
}

// readTray returns the tray of a device that begins to listen. One statement, so that cursor and
// since tell of the same moment. Who writes takes the time inside the transaction, so what is
// committed later was not created earlier; and the rows that changed last have the newest among them.
func readTray(app core.App, person string) (*tray, error) {
	var rows []struct {
		trayRow
		Seq int64 `db:"seq"`
	}
	err := app.ConcurrentDB().NewQuery(`SELECT s.seq, coalesce(n.id, '') id, coalesce(n.created, '') created
		FROM settings s LEFT JOIN notifications n ON n.recipient = s.user
		WHERE s.user = {:person} ORDER BY n.seq DESC LIMIT 64`).Bind(dbx.Params{"person": person}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read tray: %w", err)
	}
	t := &tray{person: person}
	for _, r := range rows {
		t.cursor, t.knownBefore = r.Seq, max(t.knownBefore, r.Created)
	}
	for _, r := range rows {
		if r.ID != "" { // of an empty tray
			t.noteSentRow(r.trayRow)
		}
	}
	return t, nil
}

// actionFor is what a change of the row is to the device.
func (t *tray) actionFor(r trayRow) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isNewRow(r) {
		return "create"
	}
	return "update"
}

// isNewRow needs mu.
func (t *tray) isNewRow(r trayRow) bool {
	return r.Created >= t.knownBefore && !slices.Contains(t.sentRows, r)
}

// noteSentRow notes that the device has the row.
func (t *tray) noteSentRow(r trayRow) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isNewRow(r) {
		return
	}
	t.sentRows = append(t.sentRows, r)
	if len(t.sentRows) > maxSentRows {
		t.knownBefore = max(t.knownBefore, t.sentRows[0].Created+"~") // behind all rows of that moment
		t.sentRows = t.sentRows[1:]
	}
}

// isBehind reports whether its person has come further.
func (t *tray) isBehind(seq int64) bool {
	cursor, _ := t.cursorOf(t.person)
	return cursor < seq
}

func (t *tray) cursorOf(person string) (cursor int64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if person == t.person {
		return t.cursor, true
	}
	cursor, known = t.cursors[person]
	return cursor, known
}

func (t *tray) advanceCursor(person string, cursor int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if person == t.person {
		t.cursor = max(t.cursor, cursor)
		return
	}
	if len(t.cursors) > maxTrayCursors {
		clear(t.cursors)
	}
	t.cursors[person] = max(t.cursors[person], cursor)
}

func trayRowOf(r *core.Record) trayRow { return trayRow{r.Id, r.GetString("created")} }
