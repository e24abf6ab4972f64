package hooks

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/setup"
	"github.com/doubletap/doubletap/internal/web"
)

// maxReadConns is how many connections read data.db: a few for each core, as SQLite keeps a core busy.
var maxReadConns = max(8, 4*runtime.NumCPU())

// Config returns how Doubletap's own program runs PocketBase, for pocketbase.NewWithConfig. It is read from the
// environment; flags on the command line win.
//
//	DOUBLETAP_DIR         data folder, default ./pb_data
//	DOUBLETAP_DURABILITY  full (default): an answered write survives a power cut; normal: PocketBase's own setting
//	PB_ENCRYPTION_KEY     when set, its 32 characters encrypt the settings
func Config() pocketbase.Config {
	config := pocketbase.Config{
		DefaultDataDir:  cmp.Or(os.Getenv("DOUBLETAP_DIR"), "./pb_data"),
		DBConnect:       openDatabase,
		HideStartBanner: true, // printWelcome says what a newcomer needs
		// Each connection has a cache of its own, which takes twice its 4 MB, and one that is closed has to be opened
		// again.
		DataMaxOpenConns: maxReadConns,
		DataMaxIdleConns: maxReadConns,
	}
	if os.Getenv("PB_ENCRYPTION_KEY") != "" {
		config.DefaultEncryptionEnv = "PB_ENCRYPTION_KEY"
	}
	return config
}

// openDatabase opens a database as PocketBase does, but with an fsync for every commit of data.db. As part of the
// name the pragma holds for every connection that the pool ever opens. Logs need no such care. A transaction takes
// the write lock at its beginning, where it waits for another process; later it would fail at once. The server copies
// the write-ahead log beside the requests (db.RunCheckpoints), so a commit copies it only when the log is very long.
// Pages are read where the system holds the file, as far as SQLite maps it (2 GB); only what lies beyond that or in
// the log is copied into a cache.
func openDatabase(path string) (*dbx.DB, error) {
	synchronous, checkpoint := "FULL", "80000"
	switch level := os.Getenv("DOUBLETAP_DURABILITY"); {
	case strings.HasSuffix(path, "auxiliary.db"):
		synchronous, checkpoint = "NORMAL", "1000"
	case level == "normal":
		synchronous = "NORMAL"
	case level != "" && level != "full":
		return nil, fmt.Errorf("DOUBLETAP_DURABILITY is %q, want full or normal", level)
	}
	return db.Open(path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)" +
		"&_txlock=immediate&_pragma=synchronous(" + synchronous + ")&_pragma=wal_autocheckpoint(" + checkpoint + ")" +
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=mmap_size(2147418112)&_pragma=cache_size(-4000)&_defensive=1")
}

var _ core.DBConnectFunc = openDatabase

// clientConfig is what a client should know before it asks for more.
type clientConfig struct {
	VapidKey string           `json:"vapidKey" about:"the key that a browser needs to subscribe to web push"`
	Limits   map[string]int64 `json:"limits" about:"how much of what one request takes"`
	Version  string           `json:"version"`
	Mail     bool             `json:"mail" about:"whether this server can send mail, such as a link to set a new password"`
}

func (s *Social) bindConfig() {
	version := setup.Version()
	s.routes = append(s.routes, web.Route{
		Method: "GET", Path: "/api/v1/config", ResponseBody: clientConfig{},
		Summary: "What a client should know before it asks for more.",
		Handle: func(e *core.RequestEvent) error {
			limits, err := collectionLimits(e.App)
			if err != nil {
				return err
			}
			e.Response.Header().Set("Cache-Control", "public, max-age=300")
			return e.JSON(http.StatusOK, clientConfig{s.PushKey(), limits, version, canMail(e.App)})
		},
	})
}

// canMail reports whether mail has a way to leave: SMTP, sendmail, or an owner's own handler.
func canMail(app core.App) bool {
	return app.Settings().SMTP.Enabled || setup.HasSendmail() || app.OnMailerSend().Length() > ourMailHooks
}

// collectionLimits returns the limits that the collections have right now, so that a client can tell its user before
// it uploads.
func collectionLimits(app core.App) (map[string]int64, error) {
	all := map[string]int64{"batch": int64(app.Settings().Batch.MaxRequests)}
	for _, l := range []struct{ name, collection, field string }{
		{"photos", "posts", "photos"}, {"caption", "posts", "caption"}, {"comment", "comments", "text"}, {"bio", "users", "bio"}, {"handle", "users", "handle"},
	} {
		c, err := app.FindCachedCollectionByNameOrId(l.collection)
		if err != nil {
			return nil, fmt.Errorf("read the limits: %w", err)
		}
		switch f := c.Fields.GetByName(l.field).(type) {
		case *core.FileField:
			all[l.name], all["photoBytes"] = int64(max(f.MaxSelect, 1)), f.MaxSize
		case *core.TextField:
			all[l.name] = int64(f.Max)
		}
	}
	return all, nil
}
