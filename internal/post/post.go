// Package post is what people share: photos with a caption, its hashtags and its audience.
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

// The audiences of a post.
const (
	Public    = "public"
	Followers = "followers"
	Private   = "private"
)

// Audience returns the visibility of the post in record.
func Audience(record *core.Record) string { return record.GetString("visibility") }

// IsHidden reports whether a moderator took the post in record out of sight.
func IsHidden(record *core.Record) bool { return record.GetBool("hidden") }

// SetHashtags makes the post's hashtags those of its caption. A hashtag that nobody has used before is shown as it is
// written there.
func SetHashtags(tx core.App, post *core.Record) error {
	return storeHashtags(tx, post.Id, post.GetString("caption"), clock.Timestamp(tx))
}

// storeHashtags is SetHashtags for a post with this caption; the hashtags that are new to the post are dated since.
func storeHashtags(tx core.App, post, caption, since string) error {
	names := []writtenTag{}
	for _, part := range words.Segments(caption) {
		if part.Tag != "" {
			names = append(names, writtenTag{part.Tag, part.TagName()})
		}
	}
	written, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("tag post %s: write its hashtags: %w", post, err)
	}
	const named = `(SELECT value ->> 'name' FROM json_each({:names}))`
	p := db.Params{"post": post, "names": string(written), "since": since, "now": clock.Timestamp(tx)}
	_, err = db.Exec(tx, `INSERT INTO hashtags (id, name, displayName, postsCount, banned, created, updated)
		SELECT `+db.NewIDSQL+`, value ->> 'name', value ->> 'written', 0, 0, {:now}, {:now} FROM json_each({:names}) WHERE 1 ON CONFLICT DO NOTHING`, p)
	if err == nil {
		_, err = sweep.DeleteRows(tx, "post_tags", `post = {:post} AND tag NOT IN (SELECT id FROM hashtags WHERE name IN `+named+`)`, p)
	}
	if err == nil {
		_, err = db.Exec(tx, `INSERT INTO post_tags (id, tag, post, created, updated)
			SELECT `+db.NewIDSQL+`, h.id, {:post}, {:since}, {:now} FROM hashtags h WHERE h.name IN `+named+` ON CONFLICT DO NOTHING`, p)
	}
	if err != nil {
		return fmt.Errorf("tag post %s: %w", post, err)
	}
	var tags []string
	if err := db.QueryColumn(tx, &tags, `SELECT tag FROM post_tags WHERE post = {:post}`, db.Params{"post": post}); err != nil {
		return fmt.Errorf("find the hashtags of post %s: %w", post, err)
	}
	return search.Index(tx, search.Tags, tags...) // those that are new
}

// writtenTag is a hashtag in a caption: its folded name, and how it is written there.
type writtenTag struct {
	Name    string `json:"name"`
	Written string `json:"written"`
}

// RemoveHashtags deletes a post's hashtags in the transaction that deletes the post, so that they are counted right at
// once.
func RemoveHashtags(tx core.App, post string) error {
	_, err := sweep.DeleteRows(tx, "post_tags", `id IN (SELECT id FROM post_tags WHERE post = {:post} LIMIT {:n})`, db.Params{"post": post, "n": 2 * words.MaxHashtags})
	if err != nil {
		return fmt.Errorf("untag post %s: %w", post, err)
	}
	return nil
}

// IsWidened reports whether the post was private and is not any more, so that more people may see it.
func IsWidened(before, after *core.Record) bool {
	return Audience(before) == Private && Audience(after) != Private
}

// IsForOthers reports whether anybody but the author may see the post.
func IsForOthers(record *core.Record) bool { return Audience(record) != Private && !IsHidden(record) }

// IsNarrowed reports whether somebody who could see the post before may not see it now.
func IsNarrowed(before, after *core.Record) bool {
	width := map[string]int{Private: 0, Followers: 1, Public: 2}
	return width[Audience(after)] < width[Audience(before)] || (IsHidden(after) && !IsHidden(before))
}
