package guard

import (
	"fmt"
	"os"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// CreateDelay returns how long somebody has to wait before they may add another row of their own to a collection: zero
// when they need not wait, also where there is no limit. DOUBLETAP_LIMITS=off removes all limits. Call it in the
// transaction of the new row, so that several at once are counted one after the other.
func CreateDelay(tx core.App, name, person string) (time.Duration, error) {
	d := collection.Describe(name)
	if d.CreateLimit.Most == 0 || os.Getenv("DOUBLETAP_LIMITS") == "off" {
		return 0, nil
	}
	now := clock.Now(tx)
	var reached string
	// the row that has to leave the period before there is room
	found, err := db.QueryValue(tx, &reached, `SELECT created FROM `+name+` WHERE `+d.Owner+` = {:p} AND created > {:since}
		ORDER BY created DESC LIMIT 1 OFFSET {:n}`, db.Params{"p": person, "since": clock.FormatTime(now.Add(-d.CreateLimit.In)), "n": d.CreateLimit.Most - 1})
	if err != nil {
		return 0, fmt.Errorf("count the %s of %s: %w", name, person, err)
	}
	if !found {
		return 0, nil
	}
	at, err := clock.ParseTime(reached)
	if err != nil {
		return 0, err
	}
	return max(time.Second, at.Add(d.CreateLimit.In).Sub(now)), nil
}
