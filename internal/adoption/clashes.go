package adoption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/db"
)

// otherTables are the tables that our migrations create and that are no collections. A test compares them with a fresh
// folder.
var otherTables = []string{
	"gone_ids", "mailings", "search_hashtags", "search_hashtags_words", "search_posts", "search_posts_words", "search_users", "search_users_words",
}

// reservedNames are the names of collections that Doubletap will have one day. An app may have them now.
var reservedNames = []string{"coupons", "exports", "orders", "payment_events", "products", "refunds", "shipping_methods", "taxes"}

// TakenNames returns the names of the collections and tables that are ours: no app can keep one of them.
func TakenNames() []string { return slices.Concat(collection.Names(), otherTables) }

// examineNames looks for collections and tables whose names are ours.
func (p *Plan) examineNames(app core.App) error {
	var left leftBehind
	if _, err := readParam(app, leftID, &left); err != nil {
		return err
	}
	for _, name := range slices.Concat(TakenNames(), reservedNames) {
		if name == "users" || !app.HasTable(name) {
			continue
		}
		rows, err := countWhere(app, name, "1")
		if err != nil {
			return err
		}
		if slices.Contains(reservedNames, name) {
			p.change(name, "", rows, "nothing today, but a later version needs the name: rename the collection when that suits you")
			continue
		}
		why, toDo := "the name is taken, and Doubletap needs it for a collection of its own", "give yours another name in the dashboard, and in your rules and clients"
		kept, err := left.holds(app, name)
		if err != nil {
			return err
		}
		if kept {
			why, toDo = wasKept, dropKept+toDo
		}
		p.clash(name, "", rows, why, toDo)
	}
	return nil
}

const wasKept, dropKept = "Doubletap kept it when it left this folder", "the command leave --drop deletes all that was kept; or "

// explainKeptFields says of fields of users that they are no app's own: Doubletap has left them.
func (e *examination) explainKeptFields() error {
	var left leftBehind
	if _, err := readParam(e.app, leftID, &left); err != nil {
		return err
	}
	kept := left.names(e.users)
	for i, clash := range e.Clashes {
		if clash.Collection == "users" && slices.Contains(kept, clash.Field) {
			e.Clashes[i].Why, e.Clashes[i].ToDo = wasKept, dropKept+renameIt
		}
	}
	return nil
}

// examineIDs looks for ids that differ in nothing but case, which would be one id where a name is made of it.
func (e *examination) examineIDs() error {
	n, err := countWhere(e.app, "users", "lower(id) IN (SELECT lower(id) FROM users GROUP BY lower(id) HAVING count(*) > 1)")
	if n > 0 {
		e.clash("users", "id", n, "ids differ in nothing but capital letters", "give these users other ids")
	}
	return err
}

// ourField is a field that our migrations give users: the type that the app's own of this name must have to become it.
type ourField struct {
	name string
	kind string // core.FieldType…; empty for one that is the service's alone
}

var ourFields = []ourField{
	{"handle", core.FieldTypeText}, {"bio", core.FieldTypeText}, {"private", core.FieldTypeBool},
	{"postsCount", ""}, {"followersCount", ""}, {"followingCount", ""}, {"publicPosts", ""},
}

const renameIt = "rename the field in the dashboard, and in your rules and clients"

// examineFields looks for fields of users that have the names of ours.
func (e *examination) examineFields() error {
	if field := e.users.Fields.GetByName("name"); field != nil && field.Type() != core.FieldTypeText {
		e.clashOfField(field, "it must be a text", renameIt)
	}
	if field := e.users.Fields.GetByName("avatar"); field != nil {
		if file, ok := field.(*core.FileField); !ok || file.IsMultiple() {
			e.clashOfField(field, "it must hold one file", renameIt)
		}
	}
	for _, ours := range ourFields {
		field := e.users.Fields.GetByName(ours.name)
		switch {
		case field == nil:
		case ours.kind == "" || field.Type() != ours.kind:
			e.clashOfField(field, "it is "+typeWithArticle(field)+", and Doubletap needs the name for a field of its own", renameIt)
		case ours.name == "handle" && (e.options.Handle != nil || e.options.isSame(ours.name)):
			e.refuseNamingRules(field) // everybody gets one, who had none
		case !e.options.isSame(ours.name):
			toDo := renameIt + fmt.Sprintf(", or say by Adoption.Same that it means the same: %q", ours.name)
			if ours.name == "handle" {
				toDo += ", or give Adoption.Handle"
			}
			e.clashOfField(field, "it is the app's own, and Doubletap has a field of this name", toDo)
		}
	}
	if err := e.refuseRows("bio", core.FieldTypeText, "length(bio) > 300", "more than 300 characters", "shorten them, or "+renameIt); err != nil {
		return err
	}
	if e.options.Handle != nil {
		return nil
	}
	const wrong = `handle != '' AND (handle != lower(handle) OR length(handle) NOT BETWEEN 3 AND 30 OR handle GLOB '*[^a-z0-9_.]*' OR handle GLOB '.*'
		OR handle GLOB '*.' OR handle GLOB '*..*' OR handle IN (SELECT handle FROM users GROUP BY handle HAVING count(*) > 1))`
	return e.refuseRows("handle", core.FieldTypeText, wrong,
		"no handle, or somebody else's too: 3 to 30 small letters, digits, _ and single dots between them", "change them, or give Adoption.Handle")
}

// refuseRows refuses the values of a field that becomes ours, of which some do not fit.
func (e *examination) refuseRows(name, kind, condition, why, toDo string) error {
	field := e.users.Fields.GetByName(name)
	if field == nil || field.Type() != kind || !e.options.isSame(name) {
		return nil
	}
	n, err := countWhere(e.app, "users", condition)
	if n > 0 {
		e.clash("users", name, n, "values have "+why, toDo)
	}
	return err
}

func (e *examination) clashOfField(field core.Field, why, toDo string) {
	empty := map[string]string{core.FieldTypeBool: "0", core.FieldTypeNumber: "0"}[field.Type()]
	if empty == "" {
		empty = "''"
	}
	n, err := countWhere(e.app, "users", "[["+field.GetName()+"]] NOT IN ("+empty+", '[]')")
	if err != nil {
		n = e.Users // a field whose column cannot be read is refused all the same
	}
	e.clash("users", field.GetName(), n, why, toDo)
}

func typeWithArticle(field core.Field) string {
	if strings.ContainsRune("aeiou", rune(field.Type()[0])) {
		return "an " + field.Type() + " field"
	}
	return "a " + field.Type() + " field"
}

// examineValues looks at the fields whose values the service acts on. Each value needs a meaning.
func (e *examination) examineValues() error {
	for _, v := range valueFields {
		mapping := v.mapping(e.options)
		for from, to := range mapping {
			if !slices.Contains(v.targets, to) {
				e.clash("users", v.name, 0, fmt.Sprintf("Adoption.%s maps %q to %q", v.option, from, to), "map to "+strings.Join(v.targets, " or "))
			}
		}
		field := e.users.Fields.GetByName(v.name)
		if field == nil {
			continue
		}
		if !holdsOneText(field) {
			e.clashOfField(field, "it is "+typeWithArticle(field)+" that Doubletap cannot read as its own", renameIt)
			continue
		}
		var value string
		var rows, unknown int
		var unmapped []string
		err := db.QueryEach(e.app, `SELECT [[`+v.name+`]], count(*) FROM users WHERE [[`+v.name+`]] != '' GROUP BY 1 ORDER BY 1`, nil, func() {
			if _, known := mapping[value]; !known {
				unknown += rows
				unmapped = append(unmapped, fmt.Sprintf("%q", value))
			}
		}, &value, &rows)
		if err != nil {
			return fmt.Errorf("read the values of users.%s: %w", v.name, err)
		}
		why := "it is the app's own, and Doubletap acts on a field of this name"
		switch {
		case unknown > 0:
			if more := len(unmapped) - 8; more > 0 {
				unmapped = append(unmapped[:8], fmt.Sprintf("and %d more", more))
			}
			e.clash("users", v.name, unknown, why+"; these values have no meaning yet: "+strings.Join(unmapped, ", "),
				fmt.Sprintf("map each to %s by Adoption.%s, or %s", strings.Join(v.targets, " or "), v.option, renameIt))
		case mapping == nil:
			e.clashOfField(field, why, fmt.Sprintf("say by an Adoption.%s what its values mean, even if it is empty, or %s", v.option, renameIt))
		default: // even if no row changes: who has none gets a value, and so does everybody who signs up
			e.refuseNamingRules(field)
		}
	}
	return nil
}

// holdsOneText reports whether a field's column is that of a single text, as those of our value fields.
func holdsOneText(field core.Field) bool {
	selects, ok := field.(*core.SelectField)
	return field.Type() == core.FieldTypeText || ok && !selects.IsMultiple()
}

// refuseNamingRules refuses to change the values of a field that a rule or a view of the app reads: it would let in
// other people than before.
func (e *examination) refuseNamingRules(field core.Field) {
	places, err := placesNaming(e.app, e.users, field.GetName())
	if err != nil {
		places = []string{"a rule that cannot be read"}
	}
	if len(places) == 0 {
		return
	}
	e.clashOfField(field, "its values would change, and these read them: "+strings.Join(places, ", "), renameIt)
}

// placesNaming returns the rules and views of the app that may read a field of users.
func placesNaming(app core.App, users *core.Collection, field string) (places []string, err error) {
	all, err := app.FindAllCollections()
	if err != nil {
		return nil, fmt.Errorf("read the rules that may name users.%s: %w", field, err)
	}
	bare := regexp.MustCompile(`(?i)(^|[^\w])` + regexp.QuoteMeta(field) + `($|[^\w])`)
	path := regexp.MustCompile(`(?i)\.` + regexp.QuoteMeta(field) + `($|[^\w])`)
	for _, c := range all {
		naming := path
		if c.Id == users.Id {
			naming = bare
		}
		rules := map[string]*string{"listRule": c.ListRule, "viewRule": c.ViewRule, "createRule": c.CreateRule, "updateRule": c.UpdateRule, "deleteRule": c.DeleteRule}
		if c.IsAuth() {
			rules["authRule"], rules["manageRule"] = c.AuthRule, c.ManageRule
		}
		for name, rule := range rules {
			if rule != nil && naming.MatchString(*rule) {
				places = append(places, c.Name+"."+name)
			}
		}
		if c.IsView() && bare.MatchString(c.ViewQuery) {
			places = append(places, c.Name)
		}
	}
	slices.Sort(places)
	return places, nil
}
