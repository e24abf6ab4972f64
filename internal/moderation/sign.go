package moderation

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/deliver/secret"
)

// linkLifetime is how long a signed URL of a photo works.
const linkLifetime = 5 * time.Minute

// PhotoRoute is the path under which signed photos are served; collection, record, file and size follow it.
const PhotoRoute = "/api/v1/moderation/photos/"

// PhotoLinks signs the URLs of photos.
var PhotoLinks = secret.LinkSigner{Key: "moderation", Kind: "photo"}

// PhotoFile is one file of a record in one size.
type PhotoFile struct{ Collection, Record, File, Size string }

func (p PhotoFile) urlPath() string {
	return p.Collection + "/" + p.Record + "/" + url.PathEscape(p.File) + "/" + p.Size
}

// SignedURL returns a path that shows this photo, and nothing else, to whoever has it, for five minutes.
func (p PhotoFile) SignedURL(app core.App) (string, error) {
	until := strconv.FormatInt(clock.Now(app).Add(linkLifetime).Unix(), 10)
	signature, err := PhotoLinks.Sign(app, p.urlPath(), until)
	if err != nil {
		return "", fmt.Errorf("sign a photo: %w", err)
	}
	return PhotoRoute + p.urlPath() + "?until=" + until + "&signature=" + signature, nil
}

// TimeLeft returns how much longer the photo may be seen with this until and signature; 0 if they are expired or not
// valid.
func (p PhotoFile) TimeLeft(app core.App, until, signature string) (time.Duration, error) {
	signed, err := PhotoLinks.IsSignature(app, signature, p.urlPath(), until)
	if err != nil {
		return 0, fmt.Errorf("read the address of a photo: %w", err)
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !signed {
		return 0, nil //nolint:nilerr // it is not a URL that we signed
	}
	return max(0, time.Unix(seconds, 0).Sub(clock.Now(app))), nil
}
