// Package like stores likes for the fast path: what PocketBase's rules, validation and save do
// to a like, in one statement each.
package like

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/rule"
)

// The collection's rules as they are shipped. Only these are what this package does.
const (
	CreateRule = `@request.auth.id != "" && (user = "" || user = @request.auth.id) && seesPost(@request.auth.id, post) = true`
	DeleteRule = `@request.auth.id != "" && user = @request.auth.id`
)

// Sight is what somebody who likes a post meets.
type Sight struct {
	Allowed          bool   // the person may come in, and sees the post
	Owner            string // the post's author
	Created, Updated string // of the like, when it is stored already
}

// Stored reports whether there is such a like.
func (s Sight) Stored() bool { return s.Created != "" }

// Look looks, for the person that a token was given to, at the post that like points at and for the like itself.
func Look(tx core.App, like, person *core.Record) (s Sight, err error) {
	s.Allowed, err = db.Row(tx, `SELECT _p.author, coalesce(l.created, ''), coalesce(l.updated, '')
		FROM posts _p JOIN users _u ON _u.id = _p.author JOIN users me ON me.id = {:me} LEFT JOIN likes l ON l.id = {:like}
		WHERE _p.id = {:post} AND me.state = 'active' AND me.tokenKey = {:key} AND `+rule.PostShown,
		db.Params{"me": person.Id, "key": person.TokenKey(), "post": like.GetString("post"), "like": like.Id},
		&s.Owner, &s.Created, &s.Updated)
	if err != nil {
		return s, fmt.Errorf("look at post %s: %w", like.GetString("post"), err)
	}
	return s, nil
}

// Store adds a like. The post's count is a trigger's.
func Store(tx core.App, like *core.Record) error {
	_, err := db.Exec(tx, `INSERT INTO likes (id, post, user, created, updated) VALUES ({:id}, {:post}, {:user}, {:created}, {:updated})`,
		db.Params{"id": like.Id, "post": like.GetString("post"), "user": like.GetString("user"),
			"created": like.GetString("created"), "updated": like.GetString("updated")})
	if err != nil {
		return fmt.Errorf("store like %s: %w", like.Id, err)
	}
	return nil
}

// Find reads the person's own like into like, which has its id, and reports whether there is one.
func Find(tx core.App, like, person *core.Record) (bool, error) {
	var post string
	found, err := db.Row(tx, `SELECT l.post FROM likes l JOIN users me ON me.id = l.user WHERE l.id = {:id} AND me.id = {:me} AND me.tokenKey = {:key}`,
		db.Params{"id": like.Id, "me": person.Id, "key": person.TokenKey()}, &post)
	if err != nil {
		return false, fmt.Errorf("find like %s: %w", like.Id, err)
	}
	like.Set("post", post)
	like.Set("user", person.Id)
	return found, nil
}

// Remove takes a like back.
func Remove(tx core.App, like *core.Record) error {
	if _, err := db.Exec(tx, `DELETE FROM likes WHERE id = {:id}`, db.Params{"id": like.Id}); err != nil {
		return fmt.Errorf("remove like %s: %w", like.Id, err)
	}
	return nil
}
