package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"

	"github.com/doubletap/doubletap/internal/db"
)

// SharedAddress is an e-mail address that several accounts have, in spellings that counted as different once.
type SharedAddress struct {
	Users []string // ids, the oldest row first
}

func (s SharedAddress) String() string { return strings.Join(s.Users, " and ") }

// AddressesFolded reports whether the unique index of users treats all spellings of an address as one.
func AddressesFolded(app core.App) (bool, error) {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return false, fmt.Errorf("find users: %w", err)
	}
	index, found := dbutils.FindSingleColumnUniqueIndex(users.Indexes, core.FieldNameEmail)
	return found && strings.EqualFold(index.Columns[0].Collate, "NOCASE"), nil
}

// SharedAddresses returns the addresses that more than one account has. Once the index is folded, no new ones can
// arise.
func SharedAddresses(app core.App) ([]SharedAddress, error) {
	shared, _, err := readAddresses(app)
	return shared, err
}

// FoldAddresses stores each address in its one spelling, unless two accounts would then have the same: the operator
// decides which of them is meant, and nothing is merged. When no such accounts are left, it makes the unique index that
// prevents new ones. changed counts the rows it updated and the index. Addresses are read outside of any transaction and stored in
// steps; only the index is one statement.
func FoldAddresses(ctx context.Context, app core.App) (shared []SharedAddress, changed int64, err error) {
	folded, err := AddressesFolded(app)
	if err != nil {
		return nil, 0, err
	}
	var one int
	unusual, err := db.QueryValue(app, &one, `SELECT 1 FROM users WHERE email GLOB '*[^!-@[-~]*'`, nil) // capitals and characters that are not ASCII
	if err != nil || folded && !unusual {
		return nil, 0, err
	}
	shared, spellings, err := readAddresses(app)
	if err != nil {
		return nil, 0, err
	}
	_, err = db.RunInSteps(ctx, app, spellings, func(tx core.App, some []spelling) error {
		for _, s := range some { // an address that was changed meanwhile is folded
			n, err := db.Exec(tx, `UPDATE users SET email = {:folded} WHERE id = {:id} AND email = {:stored}`, db.Params{"folded": s.folded, "id": s.user, "stored": s.stored})
			if err != nil {
				return err
			}
			db.AfterCommit(tx, func() { changed += n })
		}
		return nil
	})
	if err != nil {
		return shared, changed, fmt.Errorf("fold addresses: %w", err)
	}
	if folded || len(shared) > 0 {
		return shared, changed, nil
	}
	return nil, changed + 1, db.RunInWriteTx(app, indexAddresses)
}

// indexAddresses makes the unique index of addresses treat all spellings as one.
func indexAddresses(tx core.App) error {
	users, err := tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	index, found := dbutils.FindSingleColumnUniqueIndex(users.Indexes, core.FieldNameEmail)
	if !found {
		return fmt.Errorf("users has no unique index of %s", core.FieldNameEmail)
	}
	index.Columns[0].Collate = "NOCASE"
	users.AddIndex(index.IndexName, true, "`email` COLLATE NOCASE", "`email` != ''")
	if err := tx.Save(users); err != nil {
		return fmt.Errorf("index the addresses of users: %w", err)
	}
	return nil
}

// spelling is the address of a user as it is stored, and as it should be.
type spelling struct{ user, stored, folded string }

// String implements [fmt.Stringer], for errors.
func (s spelling) String() string { return "the address of " + s.user }

// readAddresses returns the accounts that share an address, and the new address of each other account whose address is
// not folded yet.
func readAddresses(app core.App) (shared []SharedAddress, spellings []spelling, err error) {
	users, stored, order := map[string][]string{}, map[string]string{}, []string{}
	var id, address string
	err = db.QueryEach(app, `SELECT id, email FROM users WHERE email != '' ORDER BY rowid`, nil, func() {
		folded := FoldAddress(address)
		if len(users[folded]) == 0 {
			order = append(order, folded)
		}
		users[folded] = append(users[folded], id)
		stored[id] = address
	}, &id, &address)
	if err != nil {
		return nil, nil, fmt.Errorf("read the addresses of users: %w", err)
	}
	for _, folded := range order {
		switch ids := users[folded]; {
		case len(ids) > 1:
			shared = append(shared, SharedAddress{Users: slices.Clone(ids)})
		case stored[ids[0]] != folded:
			spellings = append(spellings, spelling{ids[0], stored[ids[0]], folded})
		}
	}
	return shared, spellings, nil
}
