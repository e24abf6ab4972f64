package adoption

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// The names of our two migrations, before and behind all that they guard. They are no part of the history of the
// schema: they run the code of today.
const (
	beginStep  = "1764999999_adoption_begins.go"
	finishStep = "1765009999_adoption_ends.go"
)

func init() {
	core.AppMigrations.Register(begin, refuseDown, beginStep)
	core.AppMigrations.Register(finish, refuseDown, finishStep)
}

func refuseDown(core.App) error {
	return errors.New("an adoption cannot be undone by a step, and nothing was changed: a backup brings the data of before back, and the command leave gives the folder to a plain PocketBase")
}

// underway is what begin remembers for finish. Both run in one transaction.
type underway struct {
	before Before
	users  *core.Collection
	hints  []handleHints
}

const underwayKey = "doubletap.adoption.underway"

// begin refuses what clashes and prepares the users for the steps that follow.
func begin(tx core.App) error {
	tx.Store().Remove(underwayKey) // of a start that failed
	plan, err := Examine(tx)
	if err != nil {
		return fmt.Errorf("examine the app: %w", err)
	}
	if plan.Adopted {
		return nil
	}
	if err := plan.Err(); err != nil {
		return err
	}
	users, err := tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find the collection users: %w", err)
	}
	run := &underway{users: users}
	o := decided(tx)
	if run.before, err = readBefore(tx, users, plan.Users, o); err != nil {
		return err
	}
	if run.hints, err = readHandleHints(tx, users, o); err != nil {
		return err
	}
	if err := mapValues(tx, users, o); err != nil {
		return err
	}
	tx.Store().Set(underwayKey, run)
	return nil
}

// finish puts together what the app had and what is new.
func finish(tx core.App) error {
	run, adopting := tx.Store().Get(underwayKey).(*underway)
	if !adopting {
		return nil // the folder had Doubletap already
	}
	tx.Store().Remove(underwayKey)
	users, err := tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find the collection users: %w", err)
	}
	combineRules(users, run.users)
	combineOptions(users, run.users)
	if err := tx.Save(users); err != nil {
		return fmt.Errorf("put back the rules and options of users: %w", err)
	}
	if err := keepTokens(tx, run.users); err != nil {
		return err
	}
	if err := keepSettings(tx, run.before.Batch); err != nil {
		return err
	}
	if err := giveHandles(tx, run.hints); err != nil {
		return err
	}
	return storeBefore(tx, run)
}

// combineOptions gives users, which our steps changed, the options that an owner had chosen.
func combineOptions(users, before *core.Collection) {
	was := before.PasswordAuth
	standard := was.Enabled && slices.Equal(was.IdentityFields, []string{core.FieldNameEmail})
	if !standard {
		users.PasswordAuth.Enabled = was.Enabled
		users.PasswordAuth.IdentityFields = slices.Clone(was.IdentityFields)
		if was.Enabled {
			users.PasswordAuth.IdentityFields = append(users.PasswordAuth.IdentityFields, "handle")
		}
	}
	avatar, now := avatarField(before), avatarField(users)
	if avatar != nil && now != nil && !isStandardAvatar(avatar) {
		now.MimeTypes, now.MaxSize, now.Required = slices.Clone(avatar.MimeTypes), avatar.MaxSize, avatar.Required
	}
}

func avatarField(users *core.Collection) *core.FileField {
	avatar, _ := users.Fields.GetByName("avatar").(*core.FileField)
	return avatar
}

// isStandardAvatar reports whether PocketBase made the field.
func isStandardAvatar(avatar *core.FileField) bool {
	return avatar.MaxSize == 0 && slices.Equal(avatar.MimeTypes, []string{"image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"})
}

// keepTokens keeps valid the tokens that people have: PocketBase ends all of them when the rule of signing in changes.
func keepTokens(tx core.App, before *core.Collection) error {
	_, err := db.Exec(tx, `UPDATE _collections SET options = json_set(options, '$.authToken.secret', {:secret}) WHERE id = {:users}`,
		db.Params{"secret": before.AuthToken.Secret, "users": before.Id})
	if err != nil {
		return fmt.Errorf("keep the tokens of users: %w", err)
	}
	return tx.ReloadCachedCollections()
}

// keepsBatch reports whether an owner has chosen how batches are taken.
func keepsBatch(settings *core.Settings) bool {
	was := settings.Batch
	return was.Enabled || was.MaxRequests != 50 || was.Timeout != 3 || was.MaxBodySize != 0
}

func keepSettings(tx core.App, before core.BatchConfig) error {
	settings := tx.Settings()
	if was := (&core.Settings{}); settings.Batch != before {
		was.Batch = before
		if !keepsBatch(was) {
			return nil
		}
	}
	settings.Batch = before
	if err := tx.Save(settings); err != nil {
		return fmt.Errorf("keep the settings of batches: %w", err)
	}
	return nil
}

// mapValues gives the values of the app's own fields the meaning that their owner says, and the fields the type of
// ours.
func mapValues(tx core.App, users *core.Collection, o Options) error {
	var failures []error
	run := func(doing, statement string, params db.Params) {
		if _, err := db.Exec(tx, statement, params); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", doing, err))
		}
	}
	for _, v := range valueFields {
		field := users.Fields.GetByName(v.name)
		if field == nil {
			continue
		}
		mapping, err := json.Marshal(v.mapping(o))
		if err != nil {
			return fmt.Errorf("write Adoption.%s as JSON: %w", v.option, err)
		}
		run("map users."+v.name, `UPDATE users SET [[`+v.name+`]] = coalesce((SELECT value FROM json_each({:map}) WHERE key = users.[[`+v.name+`]]), '') WHERE [[`+v.name+`]] != ''`,
			db.Params{"map": string(mapping)})
		// not by saving the collection, which gives no field another type; the column is the same
		run("make users."+v.name+" a choice", `UPDATE _collections SET fields = (SELECT json_group_array(iif(value ->> 'name' = {:name},
			json_object('id', value ->> 'id', 'name', {:name}, 'type', 'select', 'maxSelect', 1, 'values', json({:values})), json(value))) FROM json_each(fields)) WHERE name = 'users'`,
			db.Params{"name": v.name, "values": db.JSONList(v.targets)})
	}
	if err := dropReplacedIndexes(tx, users); err != nil {
		return err
	}
	if o.Handle != nil && users.Fields.GetByName("handle") != nil {
		run("make room for handles", `UPDATE users SET handle = ''`, nil)
	}
	return errors.Join(append(failures, tx.ReloadCachedCollections())...)
}
