package adoption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"
)

// refuseErasing refuses to leave people half erased.
func (d *departure) refuseErasing() error {
	deleting, err := countWhere(d.tx, "users", "state = 'deleting'")
	if deleting > 0 {
		d.clash("users", "state", deleting, "accounts are still being erased", "serve until they are gone, or run the command jobs run")
	}
	return err
}

// refuse names what of the app would break.
func (d *departure) refuse() error {
	all, err := d.tx.FindAllCollections()
	if err != nil {
		return fmt.Errorf("read the collections: %w", err)
	}
	going, err := d.goingTables()
	if err != nil {
		return err
	}
	for _, c := range all {
		if d.left.has(c) && (d.Drop || c.Name == "feed") {
			going = append(going, c.Name)
		}
	}
	var views []string
	for _, c := range all {
		if d.left.has(c) {
			continue
		}
		for _, r := range rulesOf(c) {
			if functions := functionsIn(r.text); len(functions) > 0 && c.Name != "users" {
				d.clash(c.Name, r.name, 0, "it calls "+strings.Join(functions, ", ")+", which PocketBase does not have", "write it without in the dashboard")
			}
		}
		if d.Drop {
			d.refuseRelations(c)
		}
		if c.IsView() {
			d.refuseView(c, all, going)
			views = append(views, "DROP VIEW IF EXISTS {{"+c.Name+"}}")
		}
	}
	if len(d.Clashes) == 0 {
		return nil
	}
	return execAll(d.tx, views...) // with them SQLite would refuse what follows, which is undone, but finds the other clashes
}

// refuseRelations names what of a collection points at what would be dropped.
func (d *departure) refuseRelations(c *core.Collection) {
	for _, field := range c.Fields {
		relation, ok := field.(*core.RelationField)
		if !ok || c.Name == "users" && d.isDropped(field) {
			continue
		}
		if to, err := d.tx.FindCachedCollectionByNameOrId(relation.CollectionId); err == nil && d.left.has(to) {
			d.clash(c.Name, relation.Name, 0, "it points at "+to.Name+", which goes", "delete the field first, or leave without --drop")
		}
	}
}

// refuseView refuses a view that may read a table, a collection or a field of users that goes.
func (d *departure) refuseView(c *core.Collection, all []*core.Collection, going []string) {
	toDo := "delete the view first"
	if d.Drop {
		toDo += ", or leave without --drop"
		at := slices.IndexFunc(all, func(c *core.Collection) bool { return c.Name == "users" })
		if at >= 0 && namesWord(c.ViewQuery, "users") {
			for _, name := range d.left.names(all[at]) {
				if namesWord(c.ViewQuery, name) {
					d.clash(c.Name, "", 0, "it is a view that may read users."+name+", which goes", toDo)
					return
				}
			}
		}
	}
	for _, name := range going {
		if namesWord(c.ViewQuery, name) {
			d.clash(c.Name, "", 0, "it is a view that may read "+name+", which goes", toDo)
			return
		}
	}
}

// namesWord reports whether a word is in a text, in whatever letters.
func namesWord(text, word string) bool {
	return regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word) + `\b`).MatchString(text)
}

// checkRules names the rules that PocketBase could no longer evaluate, now that ours are gone.
func (d *departure) checkRules() error {
	if err := d.tx.ReloadCachedCollections(); err != nil {
		return fmt.Errorf("load the collections anew: %w", err)
	}
	all, err := d.tx.FindAllCollections()
	if err != nil {
		return fmt.Errorf("read the collections: %w", err)
	}
	var gone []string
	if d.Drop {
		for _, field := range d.Shipped.Fields {
			if isOurs(field.GetName()) && !slices.ContainsFunc(all, func(c *core.Collection) bool { return c.Name == "users" && c.Fields.GetByName(field.GetName()) != nil }) {
				gone = append(gone, regexp.QuoteMeta(field.GetName()))
			}
		}
	}
	callers := regexp.MustCompile(`@request\.auth\.(` + strings.Join(gone, "|") + `)\b`)
	for _, c := range all {
		for _, r := range rulesOf(c) {
			_, err := search.FilterData(r.text).BuildExpr(core.NewRecordFieldResolver(d.tx, c, nil, true))
			if err == nil && len(gone) > 0 {
				if named := callers.FindString(r.text); named != "" {
					err = fmt.Errorf("%s goes", named)
				}
			}
			said := slices.ContainsFunc(d.Clashes, func(clash Clash) bool { return clash.Collection == c.Name && clash.Field == r.name })
			if err != nil && !said {
				d.clash(c.Name, r.name, 0, fmt.Sprintf("PocketBase could not evaluate it any more: %v", err), "change it in the dashboard")
			}
		}
	}
	return nil
}

// openRule is a rule that lets in some who are no superusers.
type openRule struct{ name, text string }

func rulesOf(c *core.Collection) (open []openRule) {
	add := func(name string, rule *string) {
		if rule != nil && *rule != "" {
			open = append(open, openRule{name, *rule})
		}
	}
	add("listRule", c.ListRule)
	add("viewRule", c.ViewRule)
	add("createRule", c.CreateRule)
	add("updateRule", c.UpdateRule)
	add("deleteRule", c.DeleteRule)
	if c.IsAuth() {
		add("authRule", c.AuthRule)
		add("manageRule", c.ManageRule)
	}
	return open
}

// pocketbaseFunctions are the rule functions that PocketBase has by itself. A test asks it.
var pocketbaseFunctions = []string{"geoDistance", "strftime"}

var calls = regexp.MustCompile(`(\w+)\s*\(`)

// functionsIn returns the functions that a rule calls and that we or an owner have added to PocketBase's.
func functionsIn(rule string) (names []string) {
	for _, call := range calls.FindAllStringSubmatch(rule, -1) {
		if _, known := search.TokenFunctions[call[1]]; known && !slices.Contains(pocketbaseFunctions, call[1]) && !slices.Contains(names, call[1]) {
			names = append(names, call[1])
		}
	}
	return names
}
