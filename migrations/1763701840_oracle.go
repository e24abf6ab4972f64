package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	// A record that does not exist and one that the caller may not see give the same answer, and an id that was once
	// used is never used again.
	m.Register(func(app core.App) error {
		// A table and not a collection: only these triggers write it, so that a cascade, a job and the SQL console
		// count like a request. WITHOUT ROWID stores the ids alone in one small tree.
		statements := []string{`CREATE TABLE IF NOT EXISTS gone_ids (id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID`}
		for _, table := range []string{"posts", "comments", "stories", "users"} {
			statements = append(statements, fmt.Sprintf(
				`CREATE TRIGGER gone_%[1]s AFTER DELETE ON %[1]s BEGIN INSERT OR IGNORE INTO gone_ids (id) VALUES (OLD.id); END`, table))
		}
		for _, sql := range statements {
			if _, err := app.DB().NewQuery(sql).Execute(); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		// A caller who points at a person or a comment must be able to see it.
		shown := func(field string) string {
			return field + `.state = "active" && blockedBy(` + callerID + `, ` + field + `) = false`
		}
		for name, rule := range map[string]string{
			"blocks": ownerCreateRule("blocker") + ` && blocked != ` + callerID + ` && ` + shown("blocked"),
			"mutes": ownerCreateRule("muter") + ` && ((muted != "" && post = "") || (muted = "" && post != "")) && muted != ` + callerID +
				` && (muted = "" || (` + shown("muted") + `)) && (post = "" || seesPost(` + callerID + `, post) = true)`,
			"reports": ownerCreateRule("reporter") + ` && (user != "" || post != "" || comment != "")` +
				` && (user = "" || (` + shown("user") + `)) && (post = "" || seesPost(` + callerID + `, post) = true)` +
				` && (comment = "" || (seesPost(` + callerID + `, comment.post) = true && (comment.hidden = false || (` + ownerRule("comment.author") + `))` +
				` && (comment.author = "" || blocked(` + callerID + `, comment.author) = false)))`,
		} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			c.CreateRule = types.Pointer(rule)
			if err := app.Save(c); err != nil {
				return fmt.Errorf("save the create rule of %s: %w", name, err)
			}
		}
		return nil
	}, nil)
}
