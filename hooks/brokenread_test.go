package hooks_test

import (
	"fmt"
	"path"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/fault"
)

// What cannot be read is not gone. These helpers let the n-th statement of a job or of a request meet a page that cannot be read,
// for n = 1, 2, 3, … until there is no n-th: nothing that was asked for may be lost.

// Who runs a statement, by a function on its stack.
const (
	ofAJob     = "internal/job.(*Runner).call("
	ofARequest = "net/http.(*conn).serve("
)

// broken is a statement that fails.
type broken struct {
	mu    sync.Mutex
	left  int
	query string // that failed, and who ran it; empty while none has
}

// breakStatement lets the n-th statement from now fail that runs below a function. Heal it before looking at the database.
func breakStatement(app core.App, below string, n int) *broken {
	b := &broken{left: n}
	db.CheckStatements(app, func(query string) error {
		stack := string(debug.Stack())
		if !strings.Contains(stack, below) || besides.MatchString(stack) {
			return nil
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.left--; b.left != 0 {
			return nil
		}
		b.query = query
		for line := range strings.Lines(stack) { // of our code
			if strings.HasPrefix(line, "\t") && strings.Contains(line, "/internal/") && !strings.Contains(line, "/internal/db/") && !strings.Contains(line, "/internal/job/") || strings.Contains(line, "/hooks/") {
				b.query += " < " + path.Base(strings.Fields(line)[0])
			}
		}
		return fmt.Errorf("%w: page %d cannot be read", fault.ErrDamaged, n)
	})
	return b
}

// heal ends it, and returns the statement that failed; empty if there was no n-th.
func (b *broken) heal(app core.App) string {
	db.CheckStatements(app, nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(strings.Fields(b.query), " ")
}

// besides are looks of PocketBase's own at the row as it was, whose failure it passes over: for files that it may delete, and for an
// account of the same id in another collection.
var besides = regexp.MustCompile(`\.FindRecordById\([^\n]*\n\t[^\n]*\n(?:doubletap/[^\n]*\n\t[^\n]*\n)*github\.com/pocketbase/pocketbase/core\.(?:onRecordSaveExecute|\(\*FileField\))`)

// next is the statement to break after the n-th: each of the first, then every tenth or so of what is mostly a loop.
func next(n int) int { return max(n+1, n*5/4-10) }

// fragile is a service in which everything that a job or a route may do is done: with a webhook, phones, browsers, mails, hooks.
type fragile struct {
	*webhookService
	notified, purged int
	newcomers        int
}

// newcomer returns somebody whose alerts to others no case has spent.
func (f *fragile) newcomer() *hookstest.Client {
	f.newcomers++
	return f.Someone(10_000 + f.newcomers)
}

func newFragile(t *testing.T) *fragile {
	f := &fragile{}
	apple, firebase := delivertest.NewApplePush(t), delivertest.NewFirebase(t)
	for name, value := range map[string]string{
		"DOUBLETAP_APNS_KEY": apple.Config, "DOUBLETAP_APNS_KEY_ID": delivertest.AppleKeyID, "DOUBLETAP_APNS_TEAM": delivertest.AppleTeam,
		"DOUBLETAP_APNS_TOPIC": delivertest.AppleTopic, "DOUBLETAP_APNS_HOST": apple.URL,
		"DOUBLETAP_FCM_CREDENTIALS": firebase.Config, "DOUBLETAP_FCM_HOST": firebase.URL,
	} {
		t.Setenv(name, value)
	}
	f.webhookService = newWebhookService(t, nil, func(_ core.App, social *hooks.Social) {
		social.OnNotified().BindFunc(func(e *hooks.NotifiedEvent) error {
			f.notified++
			return e.Next()
		})
		social.OnPurge().BindFunc(func(e *hooks.PurgeEvent) error {
			f.purged++
			return e.Next()
		})
	})
	outbound.ClientOf(f.App).TrustRoots(apple.Roots)
	f.addBrowser("ada")
	f.As("ada").Create("devices", map[string]any{"kind": "apns", "endpoint": strings.Repeat("ab", 32)})
	f.As("ada").Create("devices", map[string]any{"kind": "fcm", "endpoint": "a-pixel-in-somebodys-pocket"})
	f.setPreferences("ada", mailPreference("like", "now"))
	f.As("bob").Like(f.As("ada").Post("hello #sea")) // the webhook's first event
	f.RunJobs()
	f.setPreferences("bob", map[string]any{"digest": "hourly", "notify": map[string]any{"like": map[string]any{"mail": "digest"}}})
	return f
}

// count is Rows with the values in the condition's place of each %s, as SQL text.
func (f *fragile) count(table, condition string, ids ...any) int {
	return f.Rows(table, fmt.Sprintf(strings.ReplaceAll(condition, "?", "'%s'"), ids...))
}

// execute runs a statement with ids in the place of each ?.
func (f *fragile) execute(statement string, ids ...any) {
	f.t.Helper()
	execSQLWith(f.t, f.Service, fmt.Sprintf(strings.ReplaceAll(statement, "?", "'%s'"), ids...), nil)
}
