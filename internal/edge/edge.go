// Package edge gives a row that says "this one, that one" its natural key, so that
// saying it twice is saying it once.
package edge

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Ends are the fields that make an edge what it is, in the order of its unique index.
var Ends = map[string][]string{
	"likes":         {"post", "user"},
	"comment_likes": {"comment", "user"},
	"saves":         {"user", "post"},
	"follows":       {"follower", "followee"},
	"blocks":        {"blocker", "blocked"},
	"mutes":         {"muter", "muted", "post"},
	"story_views":   {"story", "viewer"},
}

// Collections returns the names of the collections whose rows are edges.
func Collections() []string {
	names := make([]string, 0, len(Ends))
	for name := range Ends {
		names = append(names, name)
	}
	return names
}

// ID returns the id of the edge of collection between ends: the first 15 characters of the
// lower-case base32hex of sha256("collection|end|end").
func ID(collection string, ends ...string) string {
	sum := sha256.Sum256([]byte(collection + "|" + strings.Join(ends, "|")))
	return strings.ToLower(base32.HexEncoding.EncodeToString(sum[:])[:15])
}

// Of returns the id that the edge in record must have.
func Of(record *core.Record) string {
	name := record.Collection().Name
	values := make([]string, 0, 3)
	for _, end := range Ends[name] {
		values = append(values, record.GetString(end))
	}
	return ID(name, values...)
}
