package migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// reservedHandles are names that people could take for the service's own, or that have a meaning for programs.
const reservedHandles = `
	abuse about accessibility account accounts admin administrator admins advertising affiliates anonymous api app apps assets auth
	billing bot bots careers ceo channel checkout community compliance config contact copyright dashboard data_protection deleted
	discover dmca docs donotreply doubletap email erased everybody everyone explore faq favicon feed feedback ftp guest guidelines help
	healthz here hooks hostmaster icon imap impressum imprint index info investors invite legal lib livez localhost login logout
	mailer_daemon mailerdaemon manifest metrics mod moderation moderator moderators mods nil no_reply nobody none noreply
	notification notifications null oauth oembed official operator operators owner owners partners password payment payments payouts police
	pop3 postmaster press privacy register readyz robots root safety sales screens search security services session sessions settings signin signout
	signup sitemap smtp ssl_admin ssladmin staff static status superuser superusers support sysadmin system tag tags team teams terms tos
	trust undefined unsubscribe usenet user users vendor verification verified verify webhook webhooks webmaster www`

func init() {
	m.Register(func(app core.App) error {
		_, err := app.DB().NewQuery(`INSERT INTO handles (id, name, reason, created, updated)
			SELECT substr(lower(hex(randomblob(8))), 1, 15), value, 'reserved', strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ')
			FROM json_each({:names})`).Bind(map[string]any{"names": `["` + strings.Join(strings.Fields(reservedHandles), `","`) + `"]`}).Execute()
		if err != nil {
			return fmt.Errorf("reserve handles: %w", err)
		}
		// Users who existed before Doubletap get what a sign-up gives, and a handle in the end (adoption.giveHandles).
		for _, sql := range []string{
			`UPDATE users SET state = 'active' WHERE state = ''`,
			`UPDATE users SET role = 'member' WHERE role = ''`,
			`INSERT INTO settings (id, user, digest, notify, seq, created, updated)
				SELECT id, id, 'off', '{}', 0, strftime('%Y-%m-%d %H:%M:%fZ'), strftime('%Y-%m-%d %H:%M:%fZ') FROM users`,
		} {
			if _, err := app.DB().NewQuery(sql).Execute(); err != nil {
				return fmt.Errorf("give users what a sign-up gives: %w", err)
			}
		}
		return nil
	}, refuseDown)
}
