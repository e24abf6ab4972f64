// Package fastpath stores likes for the fast path: what PocketBase's rules, validation and save do to a like, in one
// statement each.
package fastpath

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/edgeid"
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
// may like the post: the token is still valid, the account is active, and the create rule lets in the like, as which
// the person has submitted user, perhaps empty. PostAuthor stays empty for a post that is not there. An import may have
// stored the like under another id.
func (l *Like) ReadIfAllowed(tx core.App, rules *LikeRules, person *core.Record, user string) (allowed bool, err error) {
	allowed, err = db.QueryRow(tx, rules.createSQL, db.Params{"me": person.Id, "key": person.TokenKey(), "post": l.Post, "like": l.ID, "user": user},
		&l.PostAuthor, &l.ID, &l.Created, &l.Updated)
	if err != nil {
		return false, fmt.Errorf("look at post %s: %w", l.Post, err)
	}
	return allowed, nil
}

// IsStored reports whether ReadIfAllowed or ReadIfDeletable found the like, or InsertRow added it.
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

// ReadIfDeletable reads the like with this id, and reports whether there is one that the person may delete: the token is
// still valid, and the delete rule lets the person in.
func (l *Like) ReadIfDeletable(tx core.App, rules *LikeRules, person *core.Record) (bool, error) {
	found, err := db.QueryRow(tx, rules.deleteSQL, db.Params{"id": l.ID, "me": person.Id, "key": person.TokenKey()},
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
