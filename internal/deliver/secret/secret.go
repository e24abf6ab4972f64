// Package secret stores what the service makes for itself once and must never lose, such as the key by which browsers
// know it.
package secret

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/db"
)

// encryptedPrefix marks a value that is encrypted with the key of PocketBase's settings.
const encryptedPrefix = "sealed:"

// FindOrCreate returns the secret with this name. When there is none yet, invent makes it, once for all processes. It
// is stored encrypted if PB_ENCRYPTION_KEY is set.
func FindOrCreate(app core.App, name string, invent func() (string, error)) (string, error) {
	value, found, err := readSecret(app, name)
	if found || err != nil {
		return value, err
	}
	fresh, err := invent()
	if err != nil {
		return "", fmt.Errorf("make secret %s: %w", name, err)
	}
	stored, err := encryptValue(app, fresh)
	if err != nil {
		return "", fmt.Errorf("seal secret %s: %w", name, err)
	}
	_, err = db.Exec(app, `INSERT INTO secrets (id, name, value, created, updated) VALUES (`+db.NewIDSQL+`, {:name}, {:value}, {:now}, {:now})
		ON CONFLICT DO NOTHING`, db.Params{"name": name, "value": stored, "now": clock.Timestamp(app)})
	if err != nil {
		return "", fmt.Errorf("keep secret %s: %w", name, err)
	}
	value, _, err = readSecret(app, name) // another process may have stored its own first
	return value, err
}

func readSecret(app core.App, name string) (string, bool, error) {
	var value string
	found, err := db.QueryValue(app, &value, `SELECT value FROM secrets WHERE name = {:name}`, db.Params{"name": name})
	if err != nil || !found {
		return "", false, err
	}
	value, err = decryptValue(app, value)
	if err != nil {
		return "", false, fmt.Errorf("open secret %s: %w", name, err)
	}
	return value, true, nil
}

func encryptionKey(app core.App) string { return os.Getenv(app.EncryptionEnv()) }

func encryptValue(app core.App, value string) (string, error) {
	if encryptionKey(app) == "" {
		return value, nil
	}
	text, err := security.Encrypt([]byte(value), encryptionKey(app))
	return encryptedPrefix + text, err
}

func decryptValue(app core.App, value string) (string, error) {
	text, encrypted := strings.CutPrefix(value, encryptedPrefix)
	if !encrypted {
		return value, nil
	}
	if encryptionKey(app) == "" {
		return "", errors.New("it is encrypted, and PB_ENCRYPTION_KEY is not set")
	}
	plain, err := security.Decrypt(text, encryptionKey(app))
	return string(plain), err
}
