package adoption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/search"

	"github.com/doubletap/doubletap/internal/collection"
)

// refuse names what of the app would break, or is not done yet.
func (d *departure) refuse() error {
	deleting, err := countWhere(d.tx, "users", "state = 'deleting'")
	if err != nil {
		return err
	}
	if deleting > 0 {
		d.clash("users", "state", deleting, "accounts are still being erased", "serve until they are gone, or run the command jobs run")
	}
	all, err := d.tx.FindAllCollections()
	if err != nil {
		return fmt.Errorf("read the collections: %w", err)
	}
	for _, c := range all {
		if collection.IsOurs(c.Name) {
			continue
		}
		for _, r := range rulesOf(c) {
			if functions := functionsIn(r.text); len(functions) > 0 {
				d.clash(c.Name, r.name, 0, "it calls "+strings.Join(functions, ", ")+", which PocketBase does not have", "write it without in the dashboard")
			}
		}
		if d.Drop {
			d.refuseReferences(c)
		}
	}
	return nil
}

// refuseReferences names what of a collection points at what would be dropped.
func (d *departure) refuseReferences(c *core.Collection) {
	for _, field := range c.Fields {
		relation, ok := field.(*core.RelationField)
		if !ok {
			continue
		}
		if to, err := d.tx.FindCachedCollectionByNameOrId(relation.CollectionId); err == nil && to.Name != "users" && collection.IsOurs(to.Name) {
			d.clash(c.Name, relation.Name, 0, "it points at "+to.Name+", which goes", "delete the field first, or leave without --drop")
		}
	}
	if !c.IsView() {
		return
	}
	for _, name := range TakenNames() {
		if name != "users" && regexp.MustCompile(`(?i)\b`+name+`\b`).MatchString(c.ViewQuery) {
			d.clash(c.Name, "", 0, "it is a view that may read "+name+", which goes", "delete the view first, or leave without --drop")
			return
		}
	}
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
