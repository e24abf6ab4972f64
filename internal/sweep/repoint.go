package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// Repoint has up to most of owners' records that point at one record of ours point at another instead, by SQL and without hooks, and reports
// whether there may be more. The subject keeps where it is. A record that an index forbids to point there gets what the deletion of the
// first would do to it.
func Repoint(tx core.App, to *core.Collection, id, other string, on Subject, most int) (more bool, err error) {
	references, err := ownersReferencesTo(tx, to)
	if err != nil {
		return false, err
	}
	for _, r := range references {
		place, after := r.placeOf(id), int64(math.MinInt64)
		if on[place] != "" {
			if after, err = strconv.ParseInt(on[place], 10, 64); err != nil {
				return false, fmt.Errorf("read where the work on %s is: %w", place, err)
			}
		}
		page, err := r.find(tx, []string{id}, after, most)
		if err != nil {
			return false, err
		}
		for _, pointer := range page {
			if err := r.repoint(tx, pointer.ID, id, other); err != nil {
				return false, fmt.Errorf("move %s.%s of %s from %s to %s: %w", r.from.Name, r.field.Name, pointer.ID, id, other, err)
			}
			on[place], more = strconv.FormatInt(pointer.Row, 10), true
		}
		if more {
			return true, nil
		}
	}
	for _, r := range references { // once more from the beginning, for rows that were changed meanwhile
		more = more || on[r.placeOf(id)] != ""
		delete(on, r.placeOf(id))
	}
	return more, nil
}

// placeOf returns the key under which a subject keeps where the work on what points at the record is.
func (r reference) placeOf(id string) string { return r.from.Name + "." + r.field.Name + " of " + id }

func (r reference) repoint(tx core.App, row, id, other string) error {
	value := other
	if r.field.IsMultiple() {
		var err error
		if value, err = r.replaceInList(tx, row, id, other); err != nil {
			return err
		}
	}
	changed, err := db.Exec(tx, fmt.Sprintf(`UPDATE OR IGNORE {{%s}} SET [[%s]] = {:value} WHERE id = {:row}`, r.from.Name, r.field.Name), db.Params{"value": value, "row": row})
	if err != nil || changed > 0 {
		return err
	}
	if err := r.remove(tx, []string{id}, row); err != nil {
		return err
	}
	var one int
	points, err := db.QueryValue(tx, &one, fmt.Sprintf(`SELECT 1 FROM {{%s}} WHERE id = {:row} AND %s`, r.from.Name, r.pointingCondition("{:id}")), db.Params{"row": row, "id": id})
	if err == nil && points { // and to find it again and again would never end
		err = errors.New("an index forbids that, and a hook kept the record as it was")
	}
	return err
}

// replaceInList returns the list of a row with one id in the place of another, or without that if it has both.
func (r reference) replaceInList(tx core.App, row, id, other string) (string, error) {
	var list string
	if _, err := db.QueryValue(tx, &list, fmt.Sprintf(`SELECT [[%s]] FROM {{%s}} WHERE id = {:row}`, r.field.Name, r.from.Name), db.Params{"row": row}); err != nil {
		return "", err
	}
	var ids, changed []string
	if err := json.Unmarshal([]byte(list), &ids); err != nil {
		return "", fmt.Errorf("read the list: %w", err)
	}
	seen := map[string]bool{}
	for _, one := range ids {
		if one == id {
			one = other
		}
		if !seen[one] {
			changed = append(changed, one)
		}
		seen[one] = true
	}
	return db.JSONList(changed), nil
}
