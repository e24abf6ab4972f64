// Package fastpath stores likes for the fast path: what PocketBase's rules, validation and save do to a like, in one
// statement each.
package fastpath

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/visibility"
)

// The rules of likes as they are shipped. This package does what these rules say, and no other.
const (
	CreateRule = `@request.auth.id != "" && (user = "" || user = @request.auth.id) && seesPost(@request.auth.id, post) = true`
	DeleteRule = `@request.auth.id != "" && user = @request.auth.id`
)

// HasShippedFields reports whether the collection has the five fields that are shipped and no others, all of them shown and holding
// what this package writes. An owner who adds, renames, hides or reshapes one gets PocketBase's general path.
func HasShippedFields(likes *core.Collection) bool {
	for _, field := range likes.Fields {
		if field.GetHidden() || !isShippedField(field) {
			return false
		}
	}
	return len(likes.Fields) == 5 // whose names differ
}

func isShippedField(field core.Field) bool {
	switch f := field.(type) {
	case *core.TextField:
		return f.Name == core.FieldNameId && f.Min <= 15 && f.Max >= 15 && f.Pattern == `^[a-z0-9]+$`
	case *core.RelationField:
		return (f.Name == "post" || f.Name == "user") && !f.IsMultiple()
	case *core.AutodateField:
		return (f.Name == "created" || f.Name == "updated") && f.OnCreate
	}
	return false
}

// Like is a like as a client sees it, its fields in the order of PocketBase's answers.
type Like struct {
	CollectionID   string `json:"collectionId"`
	CollectionName string `json:"collectionName"`
	Created        string `json:"created"`
	ID             string `json:"id"`
	Post           string `json:"post"`
	Updated        string `json:"updated"`
	User           string `json:"user"`

	PostAuthor string `json:"-"` // the post's author
}

// NewLike returns the like of a post by a user, whether it is stored or not.
func NewLike(likes *core.Collection, post, user string) *Like {
	return &Like{CollectionID: likes.Id, CollectionName: likes.Name, ID: edgeid.IDBetween("likes", post, user), Post: post, User: user}
}

// ReadIfAllowed reads the post's author, and the like's id and times if it is stored. It reports whether the person
// may like the post: the token is still valid, the account is active, and the post is visible to it. An import may
// have stored the like under another id.
func (l *Like) ReadIfAllowed(tx core.App, person *core.Record) (allowed bool, err error) {
	allowed, err = db.QueryRow(tx, `SELECT _p.author, coalesce(l.id, {:like}), coalesce(l.created, ''), coalesce(l.updated, '')
		FROM posts _p JOIN users _u ON _u.id = _p.author JOIN users me ON me.id = {:me} LEFT JOIN likes l ON l.post = _p.id AND l.user = me.id
		WHERE _p.id = {:post} AND me.state = 'active' AND me.tokenKey = {:key} AND `+visibility.PostShownSQL,
		db.Params{"me": person.Id, "key": person.TokenKey(), "post": l.Post, "like": l.ID},
		&l.PostAuthor, &l.ID, &l.Created, &l.Updated)
	if err != nil {
		return false, fmt.Errorf("look at post %s: %w", l.Post, err)
	}
	return allowed, nil
}

// IsStored reports whether ReadIfAllowed or FindOwn found the like, or InsertRow added it.
func (l *Like) IsStored() bool { return l.Created != "" }

// InsertRow adds the like; a trigger counts it. With OR FAIL, SQLite prepares no undo of this statement alone, so an
// error must undo the transaction.
func (l *Like) InsertRow(tx core.App) error {
	l.Created = clock.Timestamp(tx)
	l.Updated = l.Created
	_, err := db.Exec(tx, `INSERT OR FAIL INTO likes (id, post, user, created, updated) VALUES ({:id}, {:post}, {:user}, {:now}, {:now})`,
		db.Params{"id": l.ID, "post": l.Post, "user": l.User, "now": l.Created})
	if err != nil {
		return fmt.Errorf("store like %s: %w", l.ID, err)
	}
	return nil
}

// FindOwn reads the person's own like with this id. It returns false when there is none or the token is no longer
// valid.
func (l *Like) FindOwn(tx core.App, person *core.Record) (bool, error) {
	found, err := db.QueryRow(tx, `SELECT l.post, l.user, l.created, l.updated, p.author
		FROM likes l JOIN posts p ON p.id = l.post JOIN users me ON me.id = l.user
		WHERE l.id = {:id} AND me.id = {:me} AND me.tokenKey = {:key}`,
		db.Params{"id": l.ID, "me": person.Id, "key": person.TokenKey()},
		&l.Post, &l.User, &l.Created, &l.Updated, &l.PostAuthor)
	if err != nil {
		return false, fmt.Errorf("find like %s: %w", l.ID, err)
	}
	return found, nil
}

// DeleteRow deletes the like.
func (l *Like) DeleteRow(tx core.App) error {
	if _, err := db.Exec(tx, `DELETE FROM likes WHERE id = {:id}`, db.Params{"id": l.ID}); err != nil {
		return fmt.Errorf("remove like %s: %w", l.ID, err)
	}
	return nil
}

// ToRecord returns the like as a record, for owners' hooks.
func (l *Like) ToRecord(likes *core.Collection) *core.Record {
	record := core.NewRecord(likes)
	record.Id = l.ID
	record.Set("post", l.Post)
	record.Set("user", l.User)
	if l.IsStored() {
		record.SetRaw("created", l.Created)
		record.SetRaw("updated", l.Updated)
		record.MarkAsNotNew()
	}
	return record
}
