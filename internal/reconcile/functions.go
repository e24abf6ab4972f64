package reconcile

import (
	"database/sql/driver"
	"slices"

	"modernc.org/sqlite" // PocketBase's own driver

	"doubletap/internal/db"
	"doubletap/internal/edge"
	"doubletap/internal/text"
)

// Functions that the conditions of invariants call; no stored SQL names them.
const (
	naturalKey = "doubletap_key"      // of a collection and the ends of an edge
	tagNames   = "doubletap_hashtags" // of a text, as JSON in the order of their bytes
	indexText  = "doubletap_words"    // of what is indexed of a row
)

func init() {
	sqlite.MustRegisterDeterministicScalarFunction(naturalKey, -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		words := textArguments(args)
		return edge.IDBetween(words[0], words[1:]...), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction(tagNames, 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		words, _ := args[0].(string)
		names := text.Hashtags(words)
		slices.Sort(names)
		return db.JSONList(slices.Compact(names)), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction(indexText, -1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return text.IndexText(textArguments(args)...), nil
	})
}

// textArguments are the arguments of a function; what is no text is an empty one.
func textArguments(args []driver.Value) []string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i], _ = arg.(string)
	}
	return words
}
