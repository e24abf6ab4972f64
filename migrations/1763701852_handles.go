package migrations

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// reservedHandles are names that people could take for the service's own, or that have a meaning for programs.
const reservedHandles = `
	abuse about accessibility account accounts admins advertising affiliates anonymous api app apps assets auth
	billing bot bots careers ceo channel checkout community compliance config contact copyright dashboard data_protection
	discover dmca docs donotreply email erased everybody explore faq favicon feed feedback ftp guest guidelines
	healthz here hooks hostmaster icon imap impressum imprint index info investors invite legal lib livez localhost login logout
	mailer_daemon mailerdaemon manifest metrics mod moderation moderators mods nil no_reply nobody none noreply
	notification notifications null oauth operator operators owner owners partners password payment payments payouts police
	pop3 postmaster press privacy register readyz robots safety sales screens search services session sessions settings signin signout
	signup sitemap smtp ssl_admin ssladmin staff static status superuser superusers sysadmin tag tags team teams terms tos
	trust undefined unsubscribe usenet user users vendor verification verified verify webhook webhooks webmaster www`

func init() {
	// A handle that was given up stays reserved for its former owner for a while, so that nobody can take over a
	// known name at once; a row without an end reserves its name for ever. Accounts that already have a reserved name
	// keep it.
	m.Register(func(app core.App) error {
		handles, err := app.FindCollectionByNameOrId("handles")
		if err != nil {
			return err
		}
		handles.Fields.Add(textField("user", 30), dateField("until"))
		handles.AddIndex("idx_handles_until", false, "`until`", "`until` != ''")
		handles.AddIndex("idx_handles_user", false, "`user`", "`user` != ''")
		if err := app.Save(handles); err != nil {
			return err
		}
		_, err = app.DB().NewQuery(`INSERT INTO handles (id, name, reason, created, updated)
			SELECT substr(lower(hex(randomblob(8))), 1, 15), value, 'reserved', strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ')
			FROM json_each({:names}) WHERE 1 ON CONFLICT DO NOTHING`).Bind(map[string]any{"names": `["` + strings.Join(strings.Fields(reservedHandles), `","`) + `"]`}).Execute()
		return err
	}, nil)
}
