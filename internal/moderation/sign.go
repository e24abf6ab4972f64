package moderation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/secret"
)

// linkLifetime is how long a signed URL of a photo works.
const linkLifetime = 5 * time.Minute

// PhotoRoute is the path under which signed photos are served; collection, record, file and size follow it.
const PhotoRoute = "/api/v1/moderation/photos/"

// PrepareKey makes the key of the signatures at the start, so that no GET has to write it.
func PrepareKey(app core.App) error {
	_, err := signingKey(app)
	return err
}

func signingKey(app core.App) ([]byte, error) {
	text, err := secret.FindOrCreate(app, "moderation", func() (string, error) { return security.RandomString(43), nil })
	return []byte(text), err
}

// PhotoFile is one file of a record in one size.
type PhotoFile struct{ Collection, Record, File, Size string }

func (p PhotoFile) urlPath() string {
	return p.Collection + "/" + p.Record + "/" + url.PathEscape(p.File) + "/" + p.Size
}

// SignedURL returns a path that shows this photo, and nothing else, to whoever has it, for five minutes.
func (p PhotoFile) SignedURL(app core.App) (string, error) {
	k, err := signingKey(app)
	if err != nil {
		return "", fmt.Errorf("sign a photo: %w", err)
	}
	until := strconv.FormatInt(clock.Now(app).Add(linkLifetime).Unix(), 10)
	return PhotoRoute + p.urlPath() + "?until=" + until + "&signature=" + p.signature(k, until), nil
}

// TimeLeft returns how much longer the photo may be seen with this until and signature; 0 if they are expired or not
// valid.
func (p PhotoFile) TimeLeft(app core.App, until, signature string) (time.Duration, error) {
	k, err := signingKey(app)
	if err != nil {
		return 0, fmt.Errorf("read the address of a photo: %w", err)
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !hmac.Equal([]byte(signature), []byte(p.signature(k, until))) {
		return 0, nil //nolint:nilerr // it is not a URL that we signed
	}
	return max(0, time.Unix(seconds, 0).Sub(clock.Now(app))), nil
}

func (p PhotoFile) signature(key []byte, until string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("photo|" + p.urlPath() + "|" + until)) // no path contains a |
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
