package reconcile

import (
	"database/sql/driver"
	"slices"

	"modernc.org/sqlite" // PocketBase's own driver

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/words"
)

// SQL functions that the conditions of invariants call. No stored SQL may name them.
const (
	naturalKey = "doubletap_key"      // the natural key, of a collection and the ends of an edge
	tagNames   = "doubletap_hashtags" // the hashtags of a text, as JSON in the order of their bytes
	indexText  = "doubletap_words"    // the indexed words, of the indexed columns of a row
)

func init() {
	sqlite.MustRegisterDeterministicScalarFunction(naturalKey, -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		texts := textArguments(args)
		return edgeid.IDBetween(texts[0], texts[1:]...), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction(tagNames, 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, _ := args[0].(string)
		names := words.Hashtags(text)
		slices.Sort(names)
		return db.JSONList(slices.Compact(names)), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction(indexText, -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return words.IndexText(textArguments(args)...), nil
	})
}

// textArguments returns the arguments of a function as texts; an argument that is not a text is empty.
func textArguments(args []driver.Value) []string {
	texts := make([]string, len(args))
	for i, arg := range args {
		texts[i], _ = arg.(string)
	}
	return texts
}
