package migrations

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Which create somebody sent with which key: written in the transaction that stores the record, so that a repeat finds
	// it whenever the record is there.
	m.Register(func(app core.App) error {
		// The first step has looked for the names of its own version only.
		if app.HasTable("idempotency") {
			return errors.New("idempotency: the name is taken, and Doubletap needs it for a collection of its own, and nothing was changed; start the version from before once more, and give yours another name in the dashboard, and in your rules and clients")
		}
		return createInternalCollection(app, "idempotency",
			[]string{uniqueIndexDDL("idempotency", "key", "`user`, `key`")},
			relationField(app, "user", "users", true, cascadeDelete),
			&core.TextField{Name: "key", Required: true, Max: 255, Presentable: true},
			textField("hash", 43), textField("record", 255))
	}, refuseDown)
}
