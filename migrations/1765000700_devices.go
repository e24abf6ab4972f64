package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		err := createCollection(app, "devices", collectionRules{
			see:    ownerRule("user"),
			create: ownerCreateRule("user"),
			update: ownerRule("user") + fixedFieldsRule("user"),
			remove: ownerRule("user"),
		}, []string{
			uniqueIndexDDL("devices", "endpoint", "`endpoint`"),
			indexDDL("devices", "user", "`user`"),
		},
			relationField(app, "user", "users", true, cascadeDelete), selectField("kind", true, "webpush", "fcm", "apns"),
			&core.TextField{Name: "endpoint", Required: true, Max: 2000}, jsonField("keys", 4_000), textField("name", 100), dateField("lastSeen"),
			// when the device last accepted a message, and since when it does not answer
			hiddenDateField("answeredAt"), hiddenDateField("failingSince"))
		if err != nil {
			return err
		}
		// A push device was registered with a credential and is deleted when the credential changes, whoever changes it
		// and in whatever way.
		_, err = app.DB().NewQuery(`CREATE TRIGGER credential_devices AFTER UPDATE OF tokenKey ON users
			WHEN OLD.tokenKey IS NOT NEW.tokenKey BEGIN DELETE FROM devices WHERE user = NEW.id; END`).Execute()
		if err != nil {
			return fmt.Errorf("end devices with their credential: %w", err)
		}
		return nil
	}, refuseDown)
}
