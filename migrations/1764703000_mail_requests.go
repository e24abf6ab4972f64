package migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	// Requests for mail are noted for whatever address somebody names, and forgotten after an hour.
	m.Register(func(app core.App) error {
		if _, err := app.DB().NewQuery(`CREATE INDEX idx_mailings_kind ON mailings (kind, lastAt)`).Execute(); err != nil {
			return fmt.Errorf("index mailings: %w", err)
		}
		return nil
	}, nil)
}
