package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() {
	m.Register(func(app core.App) error {
		// values that the service has made for itself once, such as the key by which browsers know it
		err := createInternalCollection(app, "secrets", []string{uniqueIndexDDL("secrets", "name", "`name`")},
			&core.TextField{Name: "name", Required: true, Max: 60, Presentable: true}, hiddenTextField("value", 10_000))
		if err != nil {
			return err
		}
		err = createInternalCollection(app, "webhooks", nil,
			&core.URLField{Name: "url", Required: true, Presentable: true},
			jsonField("events", 4_000), // a list of event types; empty for all of them
			hiddenTextField("secret", 200), hiddenTextField("formerSecret", 200), dateField("formerUntil"),
			&core.EmailField{Name: "contact"},
			boolField("disabled"), textField("reason", 1000), dateField("failingSince"))
		if err != nil {
			return err
		}
		return createInternalCollection(app, "webhook_deliveries",
			[]string{
				uniqueIndexDDL("webhook_deliveries", "event", "`webhook`, `event`"),
				indexDDL("webhook_deliveries", "state", "`state`, `updated`"),
			},
			relationField(app, "webhook", "webhooks", true, cascadeDelete), textField("event", 40), textField("type", 60),
			selectField("state", true, "failing", "delivered", "dead"),
			jsonField("body", 1<<20), jsonField("attempts", 100_000), numberField("status"), textField("error", 1000))
	}, refuseDown)
}
