package post

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/sweep"
	"github.com/doubletap/doubletap/internal/words"
)

// Folding gives hashtags of before the names that text.Fold gives them, and merges those that are one, some of their posts at a time. A
// post is under one of two names that become one at every moment, and their counts are right.
var Folding = sweep.Work{Kind: "hashtags.fold", Parts: []sweep.Part{{
	From: `hashtags WHERE displayName = '' AND name != ''`, Weight: 2 * mergeBatch, // so that one is taken at a time, perhaps again
	Do: func(tx core.App, _ sweep.Subject, ids []string) error { return fold(tx, ids[0]) },
}}}

// mergeBatch is how many posts are moved from one hashtag to another before others may write.
const mergeBatch = 50

// HasUnfoldedTags reports whether there are hashtags for the job: those without a displayName, which an import may
// store too. A hashtag without a name does not count, as the job could give it none.
func HasUnfoldedTags(app core.App) (bool, error) {
	var one int
	return db.QueryValue(app, &one, `SELECT 1 FROM hashtags WHERE displayName = '' AND name != '' LIMIT 1`, nil)
}

// fold names a hashtag, or moves some of its posts to the one that has the name already.
func fold(tx core.App, id string) error {
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
	const few = `(SELECT id FROM post_tags WHERE tag = {:id} LIMIT {:n})`
	doubled, err := db.Exec(tx, `DELETE FROM post_tags WHERE id IN `+few+` AND post IN (SELECT post FROM post_tags WHERE tag = {:other})`, p)
	if err != nil || doubled > 0 { // others are the first few now, and may be doubled too
		return err
	}
	moved, err := db.Exec(tx, `UPDATE post_tags SET tag = {:other}, updated = {:now} WHERE id IN `+few, p)
	if err != nil || moved == mergeBatch {
		return err
	}
	// a moderator's ban of one of them holds for both
	if _, err := db.Exec(tx, `UPDATE hashtags SET banned = max(hashtags.banned, t.banned), created = min(hashtags.created, t.created), updated = {:now}
		FROM (SELECT banned, created FROM hashtags WHERE id = {:id}) t WHERE hashtags.id = {:other}`, p); err != nil {
		return err
	}
	return mergeHashtags(tx, id, other)
}

// mergeHashtags points relations in owners' collections, such as follows of hashtags, from one hashtag to another, and
// deletes the first. If two rows would become the same, one of them stays.
func mergeHashtags(tx core.App, id, other string) error {
	record, err := tx.FindRecordById("hashtags", id)
	if err != nil {
		return fmt.Errorf("find hashtag %s: %w", id, err)
	}
	references, err := tx.FindCachedCollectionReferences(record.Collection())
	if err != nil {
		return fmt.Errorf("find what points at hashtags: %w", err)
	}
	for collection, fields := range references {
		for _, field := range fields {
			if err := repointReferences(tx, collection.Name, field, id, other); err != nil {
				return fmt.Errorf("move %s.%s from hashtag %s to %s: %w", collection.Name, field.GetName(), id, other, err)
			}
		}
	}
	if err := tx.Delete(record); err != nil {
		return fmt.Errorf("delete hashtag %s, which is %s now: %w", id, other, err)
	}
	return nil
}

func repointReferences(tx core.App, collection string, field core.Field, id, other string) error {
	p, column := db.Params{"id": id, "other": other}, "[["+field.GetName()+"]]"
	if many, ok := field.(core.MultiValuer); !ok || !many.IsMultiple() {
		_, err := db.Exec(tx, "UPDATE OR IGNORE {{"+collection+"}} SET "+column+" = {:other} WHERE "+column+" = {:id}", p)
		return err
	}
	rows := map[string]string{}
	var row, list string
	err := db.QueryEach(tx, "SELECT id, "+column+" FROM {{"+collection+"}} WHERE "+column+" LIKE '%' || {:id} || '%'", p, func() { rows[row] = list }, &row, &list)
	if err != nil {
		return err
	}
	for row, list := range rows {
		var ids, changed []string
		if err := json.Unmarshal([]byte(list), &ids); err != nil {
			return fmt.Errorf("read the list of %s: %w", row, err)
		}
		seen := map[string]bool{}
		for _, one := range ids {
			if one == id {
				one = other
			}
			if !seen[one] {
				changed = append(changed, one)
			}
			seen[one] = true
		}
		if _, err := db.Exec(tx, "UPDATE {{"+collection+"}} SET "+column+" = {:list} WHERE id = {:row}", db.Params{"list": db.JSONList(changed), "row": row}); err != nil {
			return err
		}
	}
	return nil
}
