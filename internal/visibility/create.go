package visibility

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/inflector"
	"github.com/pocketbase/pocketbase/tools/search"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/db"
)

// MayCreate reports whether the collection's create rule, as it is stored now, lets the request store the record. It
// checks as PocketBase does, with the record as a table of one row. It reads through app, which may be a transaction:
// PocketBase's own check is over before the transaction begins.
func MayCreate(app core.App, record *core.Record, info *core.RequestInfo) (bool, error) {
	created := *record.Collection()
	if info.HasSuperuserAuth() || created.CreateRule != nil && *created.CreateRule == "" {
		return true, nil
	}
	if created.CreateRule == nil {
		return false, nil
	}
	values, err := record.DBExport(app)
	if err != nil {
		return false, fmt.Errorf("export a new record of %s: %w", created.Name, err)
	}
	params, columns := dbx.Params{}, make([]string, 0, len(values))
	for name, value := range values {
		name = inflector.Columnify(name)
		params["new_"+name] = value
		columns = append(columns, "{:new_"+name+"} AS [["+name+"]]")
	}
	// the table has a name of its own, since a rule may read the collection, too
	mark := "__new__" + security.PseudorandomString(6)
	created.Id, created.Name = created.Id+mark, created.Name+mark
	query := app.DB().Select("(1)").PreFragment("WITH {{" + created.Name + "}} AS (SELECT " + strings.Join(columns, ", ") + ")").
		From(created.Name).AndBind(params).Limit(1)
	resolver := core.NewRecordFieldResolver(app, &created, info, true)
	condition, err := search.FilterData(*created.CreateRule).BuildExpr(resolver)
	if err != nil {
		return false, fmt.Errorf("read the create rule of %s: %w", record.Collection().Name, err)
	}
	if err := resolver.UpdateQuery(query.AndWhere(condition)); err != nil {
		return false, fmt.Errorf("join for the create rule of %s: %w", record.Collection().Name, err)
	}
	var yes int
	if _, err := db.Found(query.Row(&yes)); err != nil {
		return false, fmt.Errorf("ask the create rule of %s: %w", record.Collection().Name, err)
	}
	return yes == 1, nil
}
