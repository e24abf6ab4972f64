package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The thumbs that are viewed first: one fills a phone's screen, the other is a square of the grid.
var viewedThumbs = []string{"640x640f", "320x320"}

// runUpload measures one photo after the other, each viewed in two sizes as soon as it is stored. The CPU is that of
// the whole photo, until the server is idle again.
func runUpload(ctx context.Context, t *Target, o Options) ([]Row, error) {
	t.waitUntilIdle(ctx)
	conn, err := DialClient(t.Address, 0) // after the wait, as a connection that is idle for long would be closed
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var stored, seen []time.Duration
	cpu := t.cpuTime()
	for n := range o.Photos {
		who := t.nthReader(n * 31)
		request, err := t.API.UploadRequest(who, o.Photo, "caption", "A day out", "author", who.ID)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		body, err := conn.SendRequest(request)
		if err := t.countWrite(&t.Uploads, err); err != nil {
			return nil, err
		}
		stored = append(stored, time.Since(start))
		path, err := t.photoPath(body)
		if err != nil {
			return nil, err
		}
		for _, size := range viewedThumbs {
			start := time.Now()
			if err := t.viewThumb(conn, who, path, size, &start); err != nil {
				return nil, err
			}
			seen = append(seen, time.Since(start))
		}
	}
	t.waitUntilIdle(ctx)
	used := t.cpuTime() - cpu
	uploads, views := summarize(stored, totalDuration(stored), used), summarize(seen, totalDuration(seen), 0)
	delete(uploads, Rate)
	delete(views, Rate)
	return []Row{{"upload", uploads}, {"thumb", views}}, nil
}

// photoPath returns the path of the file in a stored post.
func (t *Target) photoPath(body []byte) (string, error) {
	var record map[string]any
	if err := json.Unmarshal(body, &record); err != nil {
		return "", err
	}
	name := record[t.API.PhotoField]
	if several, ok := name.([]any); ok && len(several) > 0 {
		name = several[0]
	}
	if name == "" || name == nil {
		return "", fmt.Errorf("a post without a photo: %s", body)
	}
	return fmt.Sprintf("/api/files/posts/%v/%v", record["id"], name), nil
}

// viewThumb loads a thumb of a photo. If the server answers 404, viewThumb first asks for a file token and then sets
// *start anew, so that this takes no measured time.
func (t *Target) viewThumb(conn *ClientConn, who Person, path, size string, start *time.Time) error {
	body, err := conn.SendRequest(Request{Method: "GET", Path: path + "?thumb=" + size})
	if err != nil && strings.Contains(err.Error(), ": 404 ") {
		answer, tokenErr := conn.SendRequest(Request{Method: "POST", Path: "/api/files/token", Token: who.Token})
		if tokenErr != nil {
			return errors.Join(err, tokenErr)
		}
		var file struct{ Token string }
		if err := json.Unmarshal(answer, &file); err != nil {
			return err
		}
		*start = time.Now()
		body, err = conn.SendRequest(Request{Method: "GET", Path: path + "?thumb=" + size + "&token=" + file.Token})
	}
	if err == nil && len(body) < 1000 {
		err = fmt.Errorf("thumb %s of %s has %d bytes", size, path, len(body))
	}
	return err
}

// waitUntilIdle waits until the server uses next to no CPU, at most a minute, so that work in the background is
// counted where it belongs.
func (t *Target) waitUntilIdle(ctx context.Context) {
	if t.CPU == nil {
		return
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; {
		before := t.CPU()
		sleepContext(ctx, 300*time.Millisecond)
		if t.CPU()-before <= 10*time.Millisecond {
			return
		}
	}
}
