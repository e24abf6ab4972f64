package adoption

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"
	"github.com/pocketbase/pocketbase/tools/types"
)

// usersCollection returns users as the app had them, which is as PocketBase makes them if nothing was remembered.
func (b Before) usersCollection() (*core.Collection, error) {
	users := core.NewAuthCollection("users")
	if b.Users == nil {
		for _, r := range userRules {
			*r.of(users) = types.Pointer(r.standard)
		}
		users.Fields.Add(&core.TextField{Name: "name", Max: 255},
			&core.FileField{Name: "avatar", MaxSelect: 1, MimeTypes: []string{"image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"}})
		return users, nil
	}
	var row struct {
		ListRule, ViewRule, CreateRule, UpdateRule, DeleteRule *string
		Fields                                                 core.FieldsList
		Indexes                                                types.JSONArray[string]
		Options                                                struct {
			AuthRule     *string
			PasswordAuth core.PasswordAuthConfig
		}
	}
	if err := json.Unmarshal(b.Users, &row); err != nil {
		return nil, fmt.Errorf("read the users of before the adoption: %w", err)
	}
	users.ListRule, users.ViewRule, users.CreateRule, users.UpdateRule, users.DeleteRule = row.ListRule, row.ViewRule, row.CreateRule, row.UpdateRule, row.DeleteRule
	users.Fields, users.Indexes, users.AuthRule, users.PasswordAuth = row.Fields, row.Indexes, row.Options.AuthRule, row.Options.PasswordAuth
	return users, nil
}

// giveBackUsers gives users the rules and options that the app had. Our fields become superusers' alone, as nobody but
// them may change a role or a state, or they go.
func (d *departure) giveBackUsers() error {
	users, err := d.tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find the collection users: %w", err)
	}
	for _, r := range userRules {
		d.giveBackRule(r, users)
	}
	if err := d.keepOutSuspended(users); err != nil {
		return err
	}
	if d.before.Fields.GetByName("handle") == nil {
		users.PasswordAuth.IdentityFields = slices.DeleteFunc(users.PasswordAuth.IdentityFields, func(name string) bool { return name == "handle" })
		if len(users.PasswordAuth.IdentityFields) == 0 {
			users.PasswordAuth.IdentityFields = []string{core.FieldNameEmail}
		}
	}
	d.giveBackAvatar(users)
	if d.Drop {
		if err := d.dropFields(users); err != nil {
			return err
		}
	} else {
		for _, id := range d.left.Fields {
			users.Fields.GetById(id).SetHidden(true)
		}
		d.change("users", strings.Join(d.left.names(users), ", "), d.Users, "plain data, hidden from all but superusers")
	}
	return storeCollection(d.tx, users)
}

// giveBackRule gives a rule back as the app had it, unless somebody has changed it since.
func (d *departure) giveBackRule(r userRule, users *core.Collection) {
	theirs, made, now := *r.of(d.before), *r.of(d.Shipped), *r.of(users)
	if r.isKept(d.before) {
		made = bothRules(theirs, made)
	}
	switch {
	case now == nil && made != nil:
		d.change("users", r.name, d.Users, "closed to all but superusers, as you closed it")
	case now == nil, made != nil && *now == *made:
		*r.of(users) = theirs
		if field := d.mappedFieldIn(theirs); field != "" {
			d.clash("users", r.name, d.Users, "the rule of before reads "+field+", whose values the adoption has mapped: "+describeRule(theirs), "write a rule in the dashboard that fits the values of today")
		}
		d.change("users", r.name, d.Users, "as before: %s", describeRule(theirs))
	case len(functionsIn(*now)) > 0:
		d.clash("users", r.name, d.Users, "it was changed, and calls "+strings.Join(functionsIn(*now), ", ")+", which PocketBase does not have", "write it without in the dashboard")
	default:
		if private := d.shownFields(users); r.isSight && len(private) > 0 && (theirs == nil || strings.TrimSpace(*now) != strings.TrimSpace(*theirs)) {
			d.clash("users", r.name, d.Users, "it shows others "+strings.Join(private, ", ")+", which were private", "close the rule or hide the fields")
		}
		d.change("users", r.name, d.Users, "as you changed it: %s", describeRule(now))
	}
}

// shownFields returns the fields that adoption has kept private and PocketBase shows to whomever the rules let in.
func (d *departure) shownFields(users *core.Collection) (names []string) {
	public := decided(d.tx).Public
	for _, field := range users.Fields {
		if slices.Contains(d.private, field.GetId()) && !field.GetHidden() && !slices.Contains(public, field.GetName()) {
			names = append(names, field.GetName())
		}
	}
	return names
}

// mappedFieldIn returns the field of the app's own that a rule may read and whose values the adoption has mapped, if any.
func (d *departure) mappedFieldIn(rule *string) string {
	for _, v := range valueFields {
		if rule != nil && d.before.Fields.GetByName(v.name) != nil && namesWord(*rule, v.name) {
			return v.name
		}
	}
	return ""
}

func describeRule(rule *string) string {
	switch {
	case rule == nil:
		return "superusers alone"
	case strings.TrimSpace(*rule) == "":
		return "everybody"
	}
	return strings.Join(strings.Fields(*rule), " ")
}

// keepOutSuspended says what becomes of the people whom a moderator has locked out.
func (d *departure) keepOutSuspended(users *core.Collection) error {
	suspended, err := countWhere(d.tx, "users", "state = 'suspended'")
	switch {
	case err != nil || suspended == 0:
		return err
	case d.Drop && d.before.Fields.GetByName("state") == nil:
		d.change("users", "state", suspended, "gone: who was suspended can sign in again")
	default:
		before := users.AuthRule
		users.AuthRule = bothRules(before, types.Pointer(`state != "suspended"`))
		if users.AuthRule != nil {
			d.left.AuthRule = &leftRule{before, *users.AuthRule}
		}
		d.change("users", "authRule", suspended, "and who is suspended stays locked out")
	}
	return nil
}

// giveBackAvatar undoes what our steps made of the avatar's field.
func (d *departure) giveBackAvatar(users *core.Collection) {
	ours, now, was := avatarField(d.Shipped), avatarField(users), avatarField(d.before)
	if ours == nil || now == nil || was == nil {
		return
	}
	if slices.Equal(now.MimeTypes, ours.MimeTypes) {
		now.MimeTypes = was.MimeTypes
	}
	if now.MaxSize == ours.MaxSize {
		now.MaxSize = was.MaxSize
	}
	now.Thumbs = slices.DeleteFunc(now.Thumbs, func(size string) bool {
		return slices.Contains(ours.Thumbs, size) && !slices.Contains(was.Thumbs, size)
	})
}

// dropFields drops our fields of users with their indexes, and gives back the indexes that ours had replaced.
func (d *departure) dropFields(users *core.Collection) error {
	statements := []string{}
	users.Indexes = slices.DeleteFunc(users.Indexes, func(ddl string) bool {
		name := dbutils.ParseIndex(ddl).IndexName
		ours := slices.Contains(d.Indexes, name) && len(d.left.Fields) > 0
		if ours {
			statements = append(statements, "DROP INDEX IF EXISTS [["+name+"]]")
		}
		return ours
	})
	names := []string{}
	users.Fields = slices.DeleteFunc(users.Fields, func(field core.Field) bool {
		if !d.isDropped(field) {
			return false
		}
		names = append(names, field.GetName())
		statements = append(statements, "ALTER TABLE users DROP COLUMN [["+field.GetName()+"]]")
		return true
	})
	d.change("users", strings.Join(names, ", "), d.Users, "gone")
	for _, ddl := range d.left.Replaced {
		if !hasIndex(users, dbutils.ParseIndex(ddl).IndexName) {
			statements = append(statements, ddl)
			users.Indexes = append(users.Indexes, ddl)
		}
	}
	d.left.Replaced = nil
	return execAll(d.tx, statements...)
}
