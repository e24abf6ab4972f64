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
	// An e-mail address is stored in one spelling, in lower case, and the unique index ignores case. Accounts that share an
	// address in two spellings stay as they are, and the index is not created before the operator has decided between
	// them: each start and doctor name them. Letters that are not ASCII are folded at the start of the service.
	m.Register(func(app core.App) error {
		const among = `SELECT lower(email) FROM users WHERE email != '' GROUP BY lower(email) HAVING count(*) > 1`
		var shared []string
		err := app.DB().NewQuery(`SELECT group_concat(id, ' and ') FROM users WHERE lower(email) IN (` + among + `) GROUP BY lower(email)`).Column(&shared)
		if err != nil {
			return fmt.Errorf("find addresses of more than one account: %w", err)
		}
		_, err = app.DB().NewQuery(`UPDATE users SET email = lower(email) WHERE email != lower(email) AND email NOT GLOB '*[^ -~]*' AND lower(email) NOT IN (` + among + `)`).Execute()
		if err != nil {
			return fmt.Errorf("fold the addresses of users: %w", err)
		}
		if len(shared) > 0 {
			fmt.Fprintf(os.Stderr, "These accounts share an e-mail address in two spellings: %s. All are kept; give all but one of each another address.\n", strings.Join(shared, "; "))
			return nil
		}
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		if index, ok := dbutils.FindSingleColumnUniqueIndex(users.Indexes, core.FieldNameEmail); ok {
			users.AddIndex(index.IndexName, true, "`email` COLLATE NOCASE", "`email` != ''")
		}
		return app.Save(users)
	}, refuseDown)
}
