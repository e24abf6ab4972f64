package adoption

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/db"
)

// handleHints is a user of before without a handle, and the names that one can be made of, the best first.
type handleHints struct {
	user  string
	names []string
}

// usersAtOnce is how many users are read or written by one statement.
const usersAtOnce = 5000

// readHandleHints returns the hints of all users without a handle of ours, the oldest first.
func readHandleHints(tx core.App, users *core.Collection, o Options) ([]handleHints, error) {
	if o.Handle != nil {
		return askForHandles(tx, o)
	}
	column := func(name string) string {
		if field := users.Fields.GetByName(name); field != nil && field.Type() == core.FieldTypeText {
			return "[[" + name + "]]"
		}
		return "''"
	}
	var hints []handleHints
	var id, handle, username, name, email string
	err := db.QueryEach(tx, `SELECT id, `+column("handle")+`, `+column("username")+`, `+column("name")+`, email FROM users ORDER BY rowid`, nil, func() {
		if handle == "" {
			hints = append(hints, handleHints{id, []string{username, name, localPart(email)}})
		}
	}, &id, &handle, &username, &name, &email)
	if err != nil {
		return nil, fmt.Errorf("read the names of users: %w", err)
	}
	return hints, nil
}

// askForHandles asks the owner's function for the handle of each user.
func askForHandles(tx core.App, o Options) ([]handleHints, error) {
	var hints []handleHints
	for {
		var records []*core.Record
		if err := tx.RecordQuery("users").OrderBy("rowid").Limit(usersAtOnce).Offset(int64(len(hints))).All(&records); err != nil {
			return nil, fmt.Errorf("read users for Adoption.Handle: %w", err)
		}
		for _, user := range records {
			hints = append(hints, handleHints{user.Id, []string{o.Handle(user), user.GetString("username"), user.GetString("name"), localPart(user.Email())}})
		}
		if len(records) < usersAtOnce {
			return hints, nil
		}
	}
}

// localPart returns what is before the @ of an address, without what some people add after a +.
func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	local, _, _ = strings.Cut(local, "+")
	return local
}

var (
	separators  = regexp.MustCompile(`[._]+`)
	validHandle = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`)
)

// handleOf returns the handle for names: the first that is one as it is written, in lower case, else what is closest to
// the first of which enough is left.
func handleOf(names []string) string {
	for _, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(name) >= 3 && len(name) <= 30 && validHandle.MatchString(name) && separators.ReplaceAllString(name, "") != "" {
			return name
		}
		if made := account.HandleFrom(name); made != "user" {
			return made
		}
	}
	return "user"
}

// giveHandles gives each user a free handle. None of them has one at this moment, which another could be given. Of two
// who would have the same, the older gets it, and the other one with a number behind it.
func giveHandles(tx core.App, hints []handleHints) error {
	if len(hints) == 0 {
		return nil
	}
	var names []string
	if err := db.QueryColumn(tx, &names, `SELECT name FROM handles WHERE reason = 'reserved'`, nil); err != nil {
		return fmt.Errorf("read the reserved handles: %w", err)
	}
	reserved, taken, numbers := account.NewReservedNames(names), map[string]bool{"user": true}, map[string]int{}
	for _, name := range names {
		taken[name] = true
	}
	waiting := map[string]bool{}
	for _, hint := range hints {
		waiting[hint.user] = true
	}
	var id, handle string
	err := db.QueryEach(tx, `SELECT id, handle FROM users`, nil, func() {
		if !waiting[id] {
			taken[handle] = true
		}
	}, &id, &handle)
	if err != nil {
		return fmt.Errorf("read the handles that are kept: %w", err)
	}
	given := map[string]string{}
	for _, hint := range hints {
		base := handleOf(hint.names)
		handle := base
		for taken[handle] || reserved.Contain(handle) {
			numbers[base]++
			handle = numbered(base, numbers[base]+1)
		}
		taken[handle] = true
		if given[hint.user] = handle; len(given) == usersAtOnce {
			if err := storeHandles(tx, given); err != nil {
				return err
			}
			clear(given)
		}
	}
	return storeHandles(tx, given)
}

// numbered returns a handle with a number behind it, of at most 30 characters.
func numbered(base string, n int) string {
	number := "_" + strconv.Itoa(n)
	return strings.TrimRight(base[:min(len(base), 30-len(number))], "._") + number
}

func storeHandles(tx core.App, given map[string]string) error {
	text, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("write handles as JSON: %w", err)
	}
	_, err = db.Exec(tx, `UPDATE users SET handle = given.value FROM json_each({:given}) AS given WHERE users.id = given.key`, db.Params{"given": string(text)})
	if err != nil {
		return fmt.Errorf("store %d handles: %w", len(given), err)
	}
	return nil
}
