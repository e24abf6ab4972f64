package migrations

import (
	"errors"
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Where each person is signed in. The name is a long one, as many an app that adopts Doubletap has sessions of its own.
	m.Register(func(app core.App) error {
		// The first step has looked for the names of its own version only.
		if app.HasTable("account_sessions") {
			return errors.New("account_sessions: the name is taken, and Doubletap needs it for a collection of its own, and nothing was changed; start the version from before once more, and give yours another name in the dashboard, and in your rules and clients")
		}
		err := createInternalCollection(app, "account_sessions",
			[]string{indexDDL("account_sessions", "user", "`user`, `lastSeen`")},
			relationField(app, "user", "users", true, cascadeDelete),
			textField("method", 100), &core.TextField{Name: "device", Max: 100, Presentable: true}, textField("address", 50),
			dateField("lastSeen"), dateField("ends"))
		if err != nil {
			return err
		}
		devices, err := app.FindCollectionByNameOrId("devices")
		if err != nil {
			return fmt.Errorf("find the push devices: %w", err)
		}
		devices.Fields.Add(hiddenTextField("session", 15)) // that registered it, and takes it with it
		devices.Indexes = append(devices.Indexes, indexDDL("devices", "session", "`session`"))
		if err := app.Save(devices); err != nil {
			return fmt.Errorf("let push devices go with their session: %w", err)
		}
		// With the token key end the tokens of every session, whoever changes it and in whatever way.
		_, err = app.DB().NewQuery(`CREATE TRIGGER credential_sessions AFTER UPDATE OF tokenKey ON users
			WHEN OLD.tokenKey IS NOT NEW.tokenKey BEGIN DELETE FROM account_sessions WHERE user = NEW.id; END`).Execute()
		if err != nil {
			return fmt.Errorf("end sessions with their credential: %w", err)
		}
		return nil
	}, refuseDown)
}
