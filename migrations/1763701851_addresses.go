package migrations

import (
	"fmt"
	"os"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/dbutils"
)

func init() {
	// An e-mail address is stored in one spelling, in lower case, and the unique index ignores case. Accounts that
	// share an address in two spellings stay as they are, and the index is not created before the operator has
	// decided between them: each start and doctor name them. Letters that are not ASCII are folded at the start of
	// the service.
	m.Register(func(app core.App) error {
		const among = `SELECT lower(email) FROM users WHERE email != '' GROUP BY lower(email) HAVING count(*) > 1`
		var shared []string
		err := app.DB().NewQuery(`SELECT group_concat(id, ' and ') FROM users WHERE lower(email) IN (` + among + `) GROUP BY lower(email)`).Column(&shared)
		if err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE users SET email = lower(email) WHERE email != lower(email) AND email NOT GLOB '*[^ -~]*' AND lower(email) NOT IN (` + among + `)`,
			`UPDATE settings SET bounced = (SELECT email FROM users WHERE id = settings.user) WHERE lower(bounced) = (SELECT lower(email) FROM users WHERE id = settings.user)`,
		} {
			if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
				return err
			}
		}
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		if len(shared) > 0 {
			fmt.Fprintf(os.Stderr, "These accounts share an e-mail address in two spellings: %s. All are kept; give all but one of each another address.\n", strings.Join(shared, "; "))
		} else if index, ok := dbutils.FindSingleColumnUniqueIndex(users.Indexes, core.FieldNameEmail); ok {
			users.AddIndex(index.IndexName, true, "`email` COLLATE NOCASE", "`email` != ''")
		}
		// at each log-in PocketBase looks for "email = ?" and "handle = ?"; SQLite cannot know that an index WHERE
		// email != '' covers them, and would read all users
		users.AddIndex("idx_users_email_lookup", false, "`email` COLLATE NOCASE", "")
		users.AddIndex("idx_users_handle_lookup", false, "`handle` COLLATE NOCASE", "")
		return app.Save(users)
	}, nil)
}
