package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/clock"
	"doubletap/internal/db"
)

// Moments are rows that say they are of a time that has not been yet: the machine's clock was ahead when they were stored.
// They would stand at the head of every list until that time has come.
var Moments = Check{"moments", lookMoments, repairMoments}

// moments are the columns of each table that say when something was.
var moments = map[string][]string{
	"users": {"created", "updated"}, "settings": {"created", "updated", "seenAt", "readAt", "digestedAt"}, "devices": {"created", "updated", "lastSeen", "answeredAt", "failingSince"},
	"posts": {"created", "updated"}, "comments": {"created", "updated"}, "stories": {"created", "updated"}, "feed": {"at", "created", "updated"},
	"likes": {"created", "updated"}, "comment_likes": {"created", "updated"}, "saves": {"created", "updated"}, "story_views": {"created", "updated"},
	"follows": {"created", "updated"}, "blocks": {"created", "updated"}, "mutes": {"created", "updated"},
	"notifications": {"created", "updated", "latestAt", "pushedAt", "mailedAt"}, "retractions": {"created", "updated"}, "notification_events": {"created", "updated", "alertedAt"},
	"hashtags": {"created", "updated"}, "post_tags": {"created", "updated"},
	"reports": {"created", "updated"}, "jobs": {"created", "updated"}, "handles": {"created", "updated"}, "audit": {"created", "updated"},
}

// stamped are the tables to which every cause of an order adds a row: their newest rows tell when this folder was last written.
var stamped = []string{"posts", "comments", "likes", "follows", "notification_events"}

// Stamped returns the collections whose rows say when they were made.
func Stamped() []string { return slices.Sorted(maps.Keys(moments)) }

// Newest returns the last moment that is stored, as the newest rows and the trays' marks say.
func Newest(app core.App) (newest time.Time, err error) {
	questions := []string{`SELECT coalesce(max(max(seenAt, readAt)), '') FROM settings`}
	for _, table := range stamped {
		questions = append(questions, `SELECT coalesce(max(created), '') FROM (SELECT created FROM `+table+` ORDER BY rowid DESC LIMIT 100)`)
	}
	for _, question := range questions {
		var text string
		if _, err := db.Value(app, &text, question, nil); err != nil {
			return newest, fmt.Errorf("find the newest row: %w", err)
		}
		if text == "" {
			continue
		}
		if at, err := clock.Read(text); err == nil && at.After(newest) { // what somebody wrote by hand may be no time
			newest = at
		}
	}
	return newest, nil
}

func lookMoments(app core.App, f *Found) error {
	latest := clock.Text(clock.Latest(app))
	for table, columns := range moments {
		n, first, err := f.Some(app, table+` t WHERE `+ahead(columns, latest))
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		f.Fail(n, "%d %s are of a time to come, as %s", n, table, first)
	}
	return nil
}

func ahead(columns []string, latest string) string {
	conditions := make([]string, len(columns))
	for i, column := range columns {
		conditions[i] = `t.` + column + ` > '` + latest + `'`
	}
	return strings.Join(conditions, ` OR `)
}

// repairMoments puts what is of a time to come into the last milliseconds before now, in the order it had. Equal moments
// stay equal, and what was to happen some time after one happens that time after now.
func repairMoments(tx core.App) (total int64, err error) {
	latest := clock.Text(clock.Latest(tx))
	var all []string
	for table, columns := range moments {
		for _, column := range columns {
			all = append(all, `SELECT `+column+` was FROM `+table+` WHERE `+column+` > {:latest}`)
		}
	}
	limit := dbx.Params{"latest": latest, "now": clock.Stamp(tx)}
	for _, statement := range []string{
		`CREATE TEMP TABLE mended_moments (was TEXT PRIMARY KEY, becomes TEXT) WITHOUT ROWID`,
		`INSERT INTO mended_moments SELECT was, strftime('%Y-%m-%d %H:%M:%fZ', {:now}, format('-%.3f seconds', (count(*) OVER () - row_number() OVER (ORDER BY was)) / 1000.0))
			FROM (` + strings.Join(all, ` UNION `) + `)`,
		// what is due some time after such a moment, while that moment is still known
		`UPDATE stories SET expires = strftime('%Y-%m-%d %H:%M:%fZ', becomes, '+1 day') FROM mended_moments WHERE was = created AND expires > created`,
		`UPDATE jobs SET runAt = strftime('%Y-%m-%d %H:%M:%fZ', becomes, format('+%.3f seconds', (julianday(runAt) - julianday(created)) * 86400))
			FROM mended_moments WHERE was = created AND runAt >= created`,
		`UPDATE notifications SET groupKey = substr(groupKey, 1, length(groupKey) - 24) || becomes FROM mended_moments WHERE was = substr(groupKey, -24)`,
	} {
		if _, err := tx.NonconcurrentDB().NewQuery(statement).Bind(limit).Execute(); err != nil {
			return 0, fmt.Errorf("mend moments: %w", err)
		}
	}
	for table, columns := range moments {
		for _, column := range columns {
			n, err := db.Exec(tx, `UPDATE `+table+` SET `+column+` = becomes FROM mended_moments WHERE was = `+column+` AND `+column+` > {:latest}`, limit)
			if err != nil {
				return 0, fmt.Errorf("mend %s.%s: %w", table, column, err)
			}
			total += n
		}
	}
	_, err = db.Exec(tx, `DROP TABLE mended_moments`, nil)
	return total, err
}

// MomentColumns returns the columns of a collection that say when something was.
func MomentColumns(collection string) []string { return moments[collection] }
