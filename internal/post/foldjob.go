package post

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/words"
)

// Folding gives hashtags of before the names that text.Fold gives them, and merges those that are one, some of their posts at a time. A
// post is under one of two names that become one at every moment, and their counts are right. Relations of owners' collections, such as
// follows of hashtags, move too.
var Folding = sweep.Work{Kind: "hashtags.fold", Parts: []sweep.Part{{
	From: `hashtags WHERE displayName = '' AND name != ''`, Weight: 2 * mergeBatch, // so that one is taken at a time, perhaps again
	Do: func(tx core.App, on sweep.Subject, ids []string) error { return fold(tx, on, ids[0]) },
}}}

// mergeBatch is how many posts, or records of an owner's, are moved from one hashtag to another before others may write.
const mergeBatch = 50

// HasUnfoldedTags reports whether there are hashtags for the job: those without a displayName, which an import may
// store too. A hashtag without a name does not count, as the job could give it none.
func HasUnfoldedTags(app core.App) (bool, error) {
	var one int
	return db.QueryValue(app, &one, `SELECT 1 FROM hashtags WHERE displayName = '' AND name != '' LIMIT 1`, nil)
}

// fold names a hashtag, or moves some of what points at it to the one that has the name already.
func fold(tx core.App, on sweep.Subject, id string) error {
	var name, other string
	if _, err := db.QueryValue(tx, &name, `SELECT name FROM hashtags WHERE id = {:id}`, db.Params{"id": id}); err != nil {
		return err
	}
	p := db.Params{"id": id, "name": name, "folded": words.Fold(name), "now": clock.Timestamp(tx), "n": mergeBatch}
	if p["folded"] == "" { // nobody could write such a name
		p["folded"] = name
	}
	taken, err := db.QueryValue(tx, &other, `SELECT id FROM hashtags WHERE name = {:folded} AND id != {:id}`, p)
	if err != nil {
		return err
	}
	if !taken {
		_, err := db.Exec(tx, `UPDATE hashtags SET name = {:folded}, displayName = {:name}, updated = {:now} WHERE id = {:id}`, p)
		if err != nil {
			return err
		}
		return search.Index(tx, search.Tags, id)
	}
	p["other"] = other
	const few = `id IN (SELECT id FROM post_tags WHERE tag = {:id} LIMIT {:n})`
	doubled, err := sweep.DeleteRows(tx, "post_tags", few+` AND post IN (SELECT post FROM post_tags WHERE tag = {:other})`, p)
	if err != nil || len(doubled) > 0 { // others are the first few now, and may be doubled too
		return err
	}
	moved, err := db.Exec(tx, `UPDATE post_tags SET tag = {:other}, updated = {:now} WHERE `+few, p)
	if err != nil || moved == mergeBatch {
		return err
	}
	record, err := db.RequireRecord(tx, "hashtags", id)
	if err != nil {
		return err
	}
	// such as follows of hashtags
	if more, err := sweep.Repoint(tx, record.Collection(), id, other, on, mergeBatch); err != nil || more {
		return err
	}
	// a moderator's ban of one of them holds for both
	if _, err := db.Exec(tx, `UPDATE hashtags SET banned = max(hashtags.banned, t.banned), created = min(hashtags.created, t.created), updated = {:now}
		FROM (SELECT banned, created FROM hashtags WHERE id = {:id}) t WHERE hashtags.id = {:other}`, p); err != nil {
		return err
	}
	if err := tx.Delete(record); err != nil {
		return fmt.Errorf("delete hashtag %s, which is %s now: %w", id, other, err)
	}
	return nil
}
