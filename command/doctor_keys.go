package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
	"doubletap/internal/edge"
	"doubletap/internal/reconcile"
)

// misplaced is a row that says "this one, that one" under another id than clients compute for it, as an import or an
// app before ours may have stored it.
type misplaced struct{ collection, id, key string }

// findMisplaced looks at every edge.
func findMisplaced(app core.App) (all []misplaced, err error) {
	for _, name := range slices.Sorted(maps.Keys(edge.Ends)) {
		if !app.HasTable(name) {
			continue
		}
		ends := edge.Ends[name]
		rows, err := app.DB().NewQuery("SELECT id, [[" + strings.Join(ends, "]], [[") + "]] FROM {{" + name + "}}").Rows()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		values, into := make([]string, 1+len(ends)), make([]any, 1+len(ends))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			if key := edge.ID(name, values[1:]...); key != values[0] {
				all = append(all, misplaced{name, values[0], key})
			}
		}
		if err := rows.Close(); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return all, nil
}

func lookKeys(app core.App, f *reconcile.Found) error {
	all, err := findMisplaced(app)
	for _, m := range all {
		f.Fail(1, "%s %s is not under its natural key %s", m.collection, m.id, m.key)
	}
	return err
}

func moveToKeys(tx core.App) (moved int64, err error) {
	all, err := findMisplaced(tx)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		n, err := db.Exec(tx, "UPDATE {{"+m.collection+"}} SET id = {:key} WHERE id = {:id}", db.Params{"key": m.key, "id": m.id})
		if err != nil {
			return moved, fmt.Errorf("move %s %s to its natural key: %w", m.collection, m.id, err)
		}
		moved += n
	}
	return moved, nil
}
