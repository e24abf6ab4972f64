package hooks_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestAdoptingTakesNoStatementForEachUser counts the statements that an adoption takes with few users and with many
// more: the difference is that of reading and writing them in parts of 5,000.
func TestAdoptingTakesNoStatementForEachUser(t *testing.T) {
	testenv.SkipSequential(t)
	few, many := countAdoptionStatements(t, 10), countAdoptionStatements(t, 10_010)
	if more := many - few; more > 4 {
		t.Errorf("10,000 more users take %d more statements (%d instead of %d)", more, many, few)
	}
}

func countAdoptionStatements(t *testing.T, users int) (statements int) {
	t.Helper()
	p := newPlainApp(t)
	p.addUser("first@example.com", map[string]any{"name": "Ann"})
	_, err := p.app.DB().NewQuery(`INSERT INTO users (id, email, name, password, tokenKey, created, updated)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:users})
		SELECT printf('user%011d', i), 'u' || i || '@example.com', 'Ann', 'x', printf('%050d', i), strftime('%Y-%m-%d %H:%M:%fZ', 'now'), strftime('%Y-%m-%d %H:%M:%fZ', 'now') FROM n`).
		Bind(map[string]any{"users": users}).Execute()
	p.must(err)
	p.close()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: p.dir, DBConnect: hooks.Config().DBConnect})
	hooks.Bind(app)
	p.must(app.Bootstrap())
	defer func() { p.must(app.ClearBootstrap()) }()
	db.CheckStatements(app, func(string) error { statements++; return nil })
	p.must(app.RunAllMigrations())
	db.CheckStatements(app, nil)
	var handles int
	p.must(app.DB().NewQuery(`SELECT count(DISTINCT handle) FROM users WHERE handle GLOB 'ann*'`).Row(&handles))
	if handles != users+1 {
		t.Errorf("%d people have a handle, want %d", handles, users+1)
	}
	return statements
}
