package hooks_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
)

// startService starts the test kit's service for an example, with the hooks that bind adds, and returns what ends it. A
// test has no need of it: it calls hookstest.New with its t.
func startService(bind func(social *hooks.Social)) (s *hookstest.Service, end func()) {
	t := &exampleTB{}
	return hookstest.New(t, func(_ core.App, social *hooks.Social) { bind(social) }), t.runCleanups
}

// exampleTB is what the kit needs of a test, for examples, which have none. What fails ends the example with a panic.
type exampleTB struct {
	testing.TB // none: a method that is not below panics
	cleanups   []func()
}

func (t *exampleTB) Helper()                           {}
func (t *exampleTB) Log(...any)                        {}
func (t *exampleTB) Logf(string, ...any)               {}
func (t *exampleTB) Error(args ...any)                 { panic(fmt.Sprintln(args...)) }
func (t *exampleTB) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *exampleTB) Fatal(args ...any)                 { panic(fmt.Sprintln(args...)) }
func (t *exampleTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *exampleTB) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }

func (t *exampleTB) TempDir() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (t *exampleTB) runCleanups() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

// setPreferences sets how somebody is told of notifications, by type.
func setPreferences(c *hookstest.Client, notify map[string]any) {
	settings, _ := c.List("settings", "")[0]["id"].(string)
	c.Update("settings", settings, map[string]any{"notify": notify})
}

// addBrowser gives somebody a browser that takes push messages, at an address where nobody listens.
func addBrowser(c *hookstest.Client) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	c.Create("devices", map[string]any{"kind": "webpush", "endpoint": "https://push.example.com/" + c.Name,
		"keys": map[string]string{"p256dh": encode(key.PublicKey().Bytes()), "auth": encode(make([]byte, 16))}})
}
