package limit

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// ForAdded returns the claim of a row that a person adds to a collection. It is false for a collection without a limit.
func (l *Limits) ForAdded(name, person string) (Claim, bool) {
	for rule := firstAdded; rule < ruleCount; rule++ {
		if Definitions[rule].Name == name && l.Most(rule) > 0 {
			return l.ForText(rule, person), true
		}
	}
	return Claim{}, false
}

// LoadAdded takes from a person's cell of a collection what the stored rows say was added, if the service has started
// since. Call it before the transaction of a new row: whoever has added much has many rows to read.
func (l *Limits) LoadAdded(app core.App, name, person string) error {
	claim, limited := l.ForAdded(name, person)
	if !limited || l.cells.holds(claim) {
		return nil
	}
	d, now := l.definitions[claim.rule], clock.Now(app)
	var times []string
	err := db.QueryColumn(app, &times, `SELECT created FROM `+name+` WHERE `+collection.Describe(name).Owner+` = {:p} AND created > {:since} ORDER BY created DESC LIMIT {:n}`,
		db.Params{"p": person, "since": clock.FormatTime(now.Add(-d.In)), "n": d.Most})
	if err != nil {
		return fmt.Errorf("count the %s of %s: %w", name, person, err)
	}
	loaded := int64(0)
	for n := len(times) - 1; n >= 0; n-- { // the oldest first
		at, err := clock.ParseTime(times[n])
		if err != nil {
			return fmt.Errorf("count the %s of %s: %w", name, person, err)
		}
		loaded = max(loaded, at.UnixNano()) + l.rates[claim.rule].interval
	}
	l.cells.update(claim, func(cell int64, known bool) int64 {
		if known {
			return cell
		}
		return loaded
	})
	return nil
}
