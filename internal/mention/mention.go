// Package mention finds the users whom a text names.
package mention

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/words"
)

// UsersNamedIn returns the ids of the users whose handles a text mentions.
func UsersNamedIn(tx core.App, text string) ([]string, error) {
	handles := words.Mentions(text)
	if len(handles) == 0 {
		return nil, nil
	}
	var ids []string
	err := db.QueryColumn(tx, &ids, `SELECT u.id FROM json_each({:handles}) h JOIN users u ON u.handle = h.value COLLATE NOCASE AND u.handle != ''`,
		db.Params{"handles": db.JSONList(handles)})
	if err != nil {
		return nil, fmt.Errorf("find mentioned users: %w", err)
	}
	return ids, nil
}

// UsersNamedOn returns the ids of the users whom the author mentions on a post: in the caption, if the post is the
// author's, and in the author's comments except the one left out. An id may be in it twice.
func UsersNamedOn(tx core.App, post, author, leftOut string) ([]string, error) {
	var words []string
	err := db.QueryColumn(tx, &words, `SELECT caption FROM posts WHERE id = {:p} AND author = {:a} AND caption != ''
		UNION ALL SELECT text FROM comments WHERE post = {:p} AND author = {:a} AND id != {:out} AND text != ''`,
		db.Params{"p": post, "a": author, "out": leftOut})
	if err != nil {
		return nil, fmt.Errorf("read words of %s on post %s: %w", author, post, err)
	}
	var all []string
	for _, w := range words {
		ids, err := UsersNamedIn(tx, w)
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
	}
	return all, nil
}
