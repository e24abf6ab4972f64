package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		var taken []string
		for _, name := range []string{"secrets", "webhooks", "webhook_deliveries"} {
			if app.HasTable(name) {
				taken = append(taken, name)
			}
		}
		if len(taken) > 0 {
			return fmt.Errorf("doubletap needs collections of its own, but these names are taken: %s; rename them and start again", strings.Join(taken, ", "))
		}

		// what the service made for itself once, such as the key that browsers know it by
		err := createInternal(app, "secrets", []string{unique("secrets", "name", "`name`")},
			&core.TextField{Name: "name", Required: true, Max: 60, Presentable: true}, hiddenText("value", 10_000))
		if err != nil {
			return err
		}
		err = createInternal(app, "webhooks", nil,
			&core.URLField{Name: "url", Required: true, Presentable: true},
			object("events", 4_000), // a list of event types; empty for all of them
			hiddenText("secret", 200), hiddenText("formerSecret", 200), date("formerUntil"),
			&core.EmailField{Name: "contact"},
			flag("disabled"), text("reason", 1000), date("failingSince"))
		if err != nil {
			return err
		}
		err = createInternal(app, "webhook_deliveries",
			[]string{
				unique("webhook_deliveries", "event", "`webhook`, `event`"),
				index("webhook_deliveries", "state", "`state`, `updated`"),
			},
			relation(app, "webhook", "webhooks", true, cascades), text("event", 40), text("type", 60),
			choice("state", true, "failing", "delivered", "dead"),
			object("body", 1<<20), object("attempts", 100_000), number("status"), text("error", 1000))
		if err != nil {
			return err
		}

		// when a notification was last sent to devices and by mail
		notifications, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notifications.Fields.Add(hiddenDate("pushedAt"), hiddenDate("mailedAt"))
		if err := app.Save(notifications); err != nil {
			return err
		}
		// the address that mail came back from, and when the last digest was sent
		settings, err := app.FindCollectionByNameOrId("settings")
		if err != nil {
			return err
		}
		settings.Fields.Add(hiddenText("bounced", 255), hiddenDate("digestedAt"))
		return app.Save(settings)
	}, nil)
}

func hiddenDate(name string) *core.DateField { return &core.DateField{Name: name, Hidden: true} }
