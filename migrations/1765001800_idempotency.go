package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Which create somebody sent with which key: written in the transaction that stores the record, so that a repeat finds
	// it whenever the record is there.
	m.Register(func(app core.App) error {
		return createInternalCollection(app, "idempotency",
			[]string{uniqueIndexDDL("idempotency", "key", "`user`, `key`")},
			relationField(app, "user", "users", true, cascadeDelete),
			&core.TextField{Name: "key", Required: true, Max: 255, Presentable: true},
			textField("hash", 43), textField("record", 255))
	}, refuseDown)
}
