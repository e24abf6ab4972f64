// Package edgeid computes the id of a row that says "this one does that to that one" (a like, a follow) from its ends,
// so that saying it twice stores it once.
package edgeid

import (
	"crypto/sha256"
	"encoding/base32"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
)

// IDBetween returns the id of the edge of collection between ends: the first 15 characters of the
// lower-case base32hex of sha256("collection|end|end").
func IDBetween(collection string, ends ...string) string {
	var room [80]byte // what most need, so that none of it is left to the garbage collector
	key := append(room[:0], collection...)
	for _, end := range ends {
		key = append(append(key, '|'), end...)
	}
	sum := sha256.Sum256(key)
	return lowerHex.EncodeToString(sum[:10])[:15]
}

// lowerHex is base32hex in lower case.
var lowerHex = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv")

// IDOfRecord returns the id that the edge in record must have.
func IDOfRecord(record *core.Record) string {
	name := record.Collection().Name
	values := make([]string, 0, 3)
	for _, end := range collection.Describe(name).Ends {
		values = append(values, record.GetString(end))
	}
	return IDBetween(name, values...)
}
