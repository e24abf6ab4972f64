package hooks_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestSchema compares docs/schema.txt with the database that the migrations make, so that a review shows a change of
// the schema in readable words.
func TestSchema(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	collections, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(collections, func(a, b *core.Collection) int { return strings.Compare(a.Name, b.Name) })
	names := map[string]string{}
	for _, c := range collections {
		names[c.Id] = c.Name
	}
	text := schemaLegend
	for _, c := range collections {
		if !strings.HasPrefix(c.Name, "_") {
			text += "\n" + describeCollection(c, names, tableTriggers(t, s.App, c.Name))
		}
	}
	text += describeOthers(t, s.App, collections)
	requireSameFile(t, filepath.Join("..", "docs", "schema.txt"), text)
}

const schemaLegend = `# The collections, as the migrations make them. Rewrite with: go test ./hooks -run Schema -update
#
# Every collection has an id of 15 characters; names that begin with _ are PocketBase's own and left out. A rule that is
# "nobody" lets superusers alone; a superuser passes every rule. * marks a required field.
`

func describeCollection(c *core.Collection, names map[string]string, triggers []string) string {
	var text strings.Builder
	line := func(format string, args ...any) {
		text.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
	}
	kind := ""
	if c.IsAuth() {
		kind = " (people who sign in, with " + strings.Join(c.PasswordAuth.IdentityFields, " or ") + ")"
	}
	if c.System {
		kind += " (internal)"
	}
	line("%s%s", c.Name, kind)

	width := 0
	for _, f := range c.Fields {
		width = max(width, len(f.GetName())+1)
	}
	for _, f := range c.Fields {
		if f.GetName() == core.FieldNameId {
			continue
		}
		details, required := describeField(f, names)
		name := f.GetName()
		if required {
			name += "*"
		}
		if f.GetHidden() {
			details = append(details, "hidden")
		}
		line("  %-*s  %s", width, name, strings.Join(append([]string{f.Type()}, details...), ", "))
	}
	for _, sql := range c.Indexes {
		line("  index    %s", strings.ReplaceAll(strings.TrimPrefix(sql, "CREATE "), "`", ""))
	}
	for _, r := range []struct {
		verb string
		rule *string
	}{{"list", c.ListRule}, {"view", c.ViewRule}, {"create", c.CreateRule}, {"update", c.UpdateRule}, {"delete", c.DeleteRule}} {
		line("  %-7s  %s", r.verb, describeRule(r.rule))
	}
	if c.IsAuth() {
		line("  %-7s  %s", "sign in", describeRule(c.AuthRule))
		line("  %-7s  %s", "manage", describeRule(c.ManageRule))
	}
	for _, sql := range triggers {
		if strings.HasPrefix(sql, "CREATE VIEW ") { // the collection has no table
			line("  is       %s", strings.TrimPrefix(sql, "CREATE "))
			continue
		}
		line("  trigger  %s", sql)
	}
	return text.String()
}

func describeRule(r *string) string {
	switch {
	case r == nil:
		return "nobody"
	case *r == "":
		return "anybody"
	}
	return *r
}

// describeField returns what a field holds besides its type, and whether it is required.
func describeField(field core.Field, names map[string]string) (details []string, required bool) {
	add := func(when bool, format string, args ...any) {
		if when {
			details = append(details, fmt.Sprintf(format, args...))
		}
	}
	switch f := field.(type) {
	case *core.RelationField:
		add(true, "to %s", names[f.CollectionId])
		add(f.MaxSelect > 1, "up to %d", f.MaxSelect)
		add(f.CascadeDelete, "cascade")
		return details, f.Required
	case *core.TextField:
		add(f.Min > 0, "at least %d", f.Min)
		add(f.Max > 0, "at most %d", f.Max)
		add(f.Pattern != "", "like %s", f.Pattern)
		add(f.AutogeneratePattern != "", "made like %s", f.AutogeneratePattern)
		return details, f.Required
	case *core.NumberField:
		add(f.OnlyInt, "whole")
		add(f.Min != nil, "with a least")
		add(f.Max != nil, "with a most")
		return details, f.Required
	case *core.SelectField:
		add(f.MaxSelect > 1, "up to %d", f.MaxSelect)
		add(true, "of %s", strings.Join(f.Values, " "))
		return details, f.Required
	case *core.FileField:
		add(true, "up to %d", max(f.MaxSelect, 1))
		add(f.MaxSize > 0, "of %d MiB", f.MaxSize>>20)
		add(f.Protected, "protected")
		add(true, "%s", strings.ReplaceAll(strings.Join(f.MimeTypes, " "), "image/", ""))
		add(len(f.Thumbs) > 0, "thumbs %s", strings.Join(f.Thumbs, " "))
		return details, f.Required
	case *core.JSONField:
		add(f.MaxSize > 0, "at most %d bytes", f.MaxSize)
		return details, f.Required
	case *core.AutodateField:
		add(f.OnCreate, "on create")
		add(f.OnUpdate, "on update")
		return details, false
	case *core.PasswordField:
		add(f.Min > 0, "at least %d", f.Min)
		return details, f.Required
	case *core.EmailField:
		return details, f.Required
	case *core.DateField:
		return details, f.Required
	case *core.BoolField:
		return details, f.Required
	case *core.GeoPointField:
		return details, f.Required
	case *core.URLField:
		return details, f.Required
	case *core.EditorField:
		return details, f.Required
	}
	return []string{"a type that this test does not know"}, false
}

func tableTriggers(t *testing.T, app core.App, table string) []string {
	t.Helper()
	var all []string
	err := app.DB().NewQuery("SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view') AND tbl_name = {:table} ORDER BY name").
		Bind(map[string]any{"table": table}).Column(&all)
	if err != nil {
		t.Fatal(err)
	}
	for i, sql := range all {
		all[i] = strings.TrimPrefix(strings.Join(strings.Fields(sql), " "), "CREATE TRIGGER ")
	}
	return all
}

// describeOthers describes what is in the database beside the collections.
func describeOthers(t *testing.T, app core.App, collections []*core.Collection) string {
	t.Helper()
	var all []struct{ Type, Name, Sql string }
	err := app.DB().NewQuery(`SELECT type, name, coalesce(sql, '') sql FROM sqlite_master
		WHERE type IN ('table', 'view') AND name NOT LIKE '\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
			AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY type, name`).All(&all)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, o := range all {
		if slices.ContainsFunc(collections, func(c *core.Collection) bool { return c.Name == o.Name }) {
			continue
		}
		text += fmt.Sprintf("\n%s, a %s that is no collection\n  %s\n", o.Name, o.Type, strings.Join(strings.Fields(o.Sql), " "))
		for _, sql := range tableTriggers(t, app, o.Name) {
			text += "  trigger  " + sql + "\n"
		}
	}
	return text
}
