package hooks_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/fault"
	"github.com/doubletap/doubletap/internal/testenv"
)

// A database file that is cut short while it is read ends statements, not the process, and is read again once it is
// whole.
func TestAFileCutShortEndsNoProcess(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	path := filepath.Join(t.TempDir(), "data.db")
	open := hooks.Config().DBConnect
	writer, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)`,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) INSERT INTO words SELECT i, hex(zeroblob(500)) FROM n`,
		`PRAGMA wal_checkpoint(TRUNCATE)`,
	} {
		if _, err := writer.NewQuery(statement).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	readers, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readers.Close()
	read := func() (n int, err error) {
		err = readers.NewQuery(`SELECT count(*) FROM words WHERE length(word) > 0`).Row(&n)
		return n, err
	}
	if n, err := read(); n != 8000 || err != nil {
		t.Fatalf("%d rows, %v", n, err)
	}
	rows, err := readers.NewQuery(`SELECT word FROM words`).Rows()
	if err != nil || !rows.Next() {
		t.Fatal("read the first row:", err)
	}
	if err := os.Truncate(path, int64(len(whole)/2)); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Err(); !errors.Is(err, fault.ErrDamaged) || !fault.IsTransient(err) {
		t.Fatalf("read of what went meanwhile: %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	for range 3 { // without the memory map
		if _, err := read(); err == nil || errors.Is(err, fault.ErrDamaged) || !fault.IsTransient(err) {
			t.Fatalf("read by a call of what is gone: %v", err)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := read(); n != 8000 || err != nil {
		t.Errorf("of the whole file: %d rows, %v", n, err)
	}
}

// A damaged page is answered as the service's failure and not as the client's mistake, on every path.
func TestDamageIsTheServicesTrouble(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("look")
	ada.Comment(post, "", "me first")
	if a := s.Guest().Do("GET", "/readyz", nil); a.Status != http.StatusOK {
		t.Fatalf("readyz: %d %s", a.Status, a.Raw)
	}
	var page, size int64
	if err := s.App.DB().NewQuery(`SELECT rootpage FROM sqlite_schema WHERE name = 'posts'`).Row(&page); err != nil {
		t.Fatal(err)
	}
	if err := s.App.DB().NewQuery(`PRAGMA page_size`).Row(&size); err != nil {
		t.Fatal(err)
	}
	for _, pragma := range []string{`PRAGMA wal_checkpoint(TRUNCATE)`, `PRAGMA shrink_memory`} { // what the caches hold is whole
		if _, err := s.App.NonconcurrentDB().NewQuery(pragma).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.OpenFile(filepath.Join(s.App.DataDir(), "data.db"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(strings.Repeat("damage! ", int(size)/8)), (page-1)*size); err != nil {
		t.Fatal(err)
	}
	s.Advance(0)
	for _, asked := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/api/collections/posts/records", nil},
		{"GET", "/api/collections/posts/records/" + post, nil},
		{"GET", "/api/collections/posts/records?sort=-created&perPage=30&page=1&skipTotal=1&filter=author%20%3D%20%22" + ada.ID + "%22", nil},
		{"GET", "/api/collections/comments/records?filter=post.caption!=''", nil},
		{"POST", "/api/collections/likes/records", map[string]any{"post": post}},
		{"POST", "/api/collections/comments/records", map[string]any{"post": post, "text": "hello"}},
		{"PATCH", "/api/collections/posts/records/" + post, map[string]any{"caption": "changed"}},
		{"DELETE", "/api/collections/posts/records/" + post, nil},
		{"GET", "/p/" + post, nil},
	} {
		if a := ada.Do(asked.method, asked.path, asked.body); a.Status < 500 {
			t.Errorf("%s %s: %d %s", asked.method, asked.path, a.Status, a.Raw)
		}
	}
	if !db.IsDamaged(s.App) {
		t.Error("the damage was not noted")
	}
	s.Advance(2e9)
	if a := s.Guest().Do("GET", "/readyz", nil); a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Raw, "damaged") {
		t.Errorf("readyz: %d %s", a.Status, a.Raw)
	}
}
