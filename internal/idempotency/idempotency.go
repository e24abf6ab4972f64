// Package idempotency remembers which create was sent with which key, so that one that is sent again stores nothing
// anew.
package idempotency

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// Key is what a create was sent with.
type Key struct {
	User string
	Name string // as the client sent it, or what NameOfID returns
	IsID bool   // it is an id that the client chose
	Hash string // of the request, see HashRequest
}

// ErrStored says that a record was stored with the key already.
var ErrStored = errors.New("a record was stored with this key already")

const maxNameLength = 255

// IsValidName reports whether a client may use a key of this name: 1 to 255 characters of visible ASCII.
func IsValidName(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return name != "" && len(name) <= maxNameLength
}

// NameOfID returns the name of the key that an id is which a client chose. No client can send it as a key, as there is a
// space in it.
func NameOfID(collection, id string) string { return collection + " " + id }

// HashRequest returns a hash of what is to be created: of the collection, the fields in the order of their names, and the
// contents of the files. Files are read from where the request keeps them.
func HashRequest(c *core.Collection, fields map[string]any, form *multipart.Form) (string, error) {
	text, err := json.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("write the fields of a request: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d %s", c.Id, len(text), text)
	if form == nil {
		return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), nil
	}
	for _, field := range slices.Sorted(maps.Keys(form.File)) {
		for _, header := range form.File[field] {
			fmt.Fprintf(sum, " %q %d ", field, header.Size)
			if err := copyFile(sum, header); err != nil {
				return "", fmt.Errorf("read an uploaded file of the field %q: %w", field, err)
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), nil
}

func copyFile(to io.Writer, header *multipart.FileHeader) error {
	file, err := header.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(to, file)
	return errors.Join(err, file.Close())
}

// FindRecord returns the id of the record that was stored with a key, and the hash of that request. It is empty if there
// is none.
func FindRecord(app core.App, key *Key) (id, hash string, err error) {
	_, err = db.QueryRow(app, `SELECT record, hash FROM idempotency WHERE user = {:user} AND [[key]] = {:key}`,
		db.Params{"user": key.User, "key": key.Name}, &id, &hash)
	if err != nil {
		return "", "", fmt.Errorf("look for what user %s stored with a key: %w", key.User, err)
	}
	return id, hash, nil
}

// Store remembers that a record was stored with a key, in the transaction that stores it. The error is ErrStored if
// another one was, and the transaction must then be rolled back.
func Store(tx core.App, key *Key, record string) error {
	n, err := db.Exec(tx, `INSERT INTO idempotency (id, user, [[key]], hash, record, created, updated)
		VALUES (`+db.NewIDSQL+`, {:user}, {:key}, {:hash}, {:record}, {:now}, {:now}) ON CONFLICT DO NOTHING`,
		db.Params{"user": key.User, "key": key.Name, "hash": key.Hash, "record": record, "now": clock.Timestamp(tx)})
	switch {
	case err != nil:
		return fmt.Errorf("store the key of record %s: %w", record, err)
	case n == 0:
		return ErrStored
	}
	return nil
}

const storeKey = "doubletap.idempotency"

// Accept makes collections of an app's owner take keys, besides those of ours whose descriptors say so. Call it before
// the app serves.
func Accept(app core.App, names []string) {
	accepted, _ := app.Store().Get(storeKey).([]string)
	app.Store().Set(storeKey, slices.Concat(accepted, names))
}

// IsAccepted reports whether what a user creates in a collection may have a key.
func IsAccepted(app core.App, name string) bool {
	if collection.IsOurs(name) {
		return collection.Describe(name).TakesKeys
	}
	accepted, _ := app.Store().Get(storeKey).([]string)
	return slices.Contains(accepted, name)
}
