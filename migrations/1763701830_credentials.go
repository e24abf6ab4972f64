package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// A push device was registered with a credential and is deleted when the credential changes, whoever changes
		// it and in whatever way.
		_, err := app.DB().NewQuery(`CREATE TRIGGER credential_devices AFTER UPDATE OF tokenKey ON users
			WHEN OLD.tokenKey IS NOT NEW.tokenKey BEGIN DELETE FROM devices WHERE user = NEW.id; END`).Execute()
		if err != nil {
			return fmt.Errorf("end devices with their credential: %w", err)
		}
		return nil
	}, nil)
}
