package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The thumbs that are looked at first: one fills a phone, the other is a square of the grid.
var thumbs = []string{"640x640f", "320x320"}

// upload is one photo after the other, each looked at in two sizes as soon as it is stored. The CPU is
// that of the whole photo, up to the moment when the server rests again.
func upload(ctx context.Context, t *Target, o Options) ([]Row, error) {
	t.rest(ctx)
	line, err := NewLine(t.Address, 0) // one that says nothing for long would be closed
	if err != nil {
		return nil, err
	}
	defer line.Close()
	var stored, seen []time.Duration
	cpu := t.cpu()
	for n := range o.Photos {
		who := t.reader(n * 31)
		request, err := t.API.Upload(who, o.Photo, "caption", "A day out", "author", who.ID)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		body, err := line.Do(request)
		if err := t.count(&t.Uploads, err); err != nil {
			return nil, err
		}
		stored = append(stored, time.Since(start))
		path, err := t.photo(body)
		if err != nil {
			return nil, err
		}
		for _, size := range thumbs {
			start := time.Now()
			if err := t.view(line, who, path, size, &start); err != nil {
				return nil, err
			}
			seen = append(seen, time.Since(start))
		}
	}
	t.rest(ctx)
	used := t.cpu() - cpu
	uploads, views := figures(stored, sum(stored), used), figures(seen, sum(seen), 0)
	delete(uploads, Rate)
	delete(views, Rate)
	return []Row{{"upload", uploads}, {"thumb", views}}, nil
}

// photo returns the path of the file in a stored post.
func (t *Target) photo(body []byte) (string, error) {
	var record map[string]any
	if err := json.Unmarshal(body, &record); err != nil {
		return "", err
	}
	name := record[t.API.Photo]
	if several, ok := name.([]any); ok && len(several) > 0 {
		name = several[0]
	}
	if name == "" || name == nil {
		return "", fmt.Errorf("a post without a photo: %s", body)
	}
	return fmt.Sprintf("/api/files/posts/%v/%v", record["id"], name), nil
}

// view looks at a photo. A server that wants a token for it is asked for one first, on
// which no time is counted.
func (t *Target) view(line *Line, who Person, path, size string, start *time.Time) error {
	body, err := line.Do(Request{Method: "GET", Path: path + "?thumb=" + size})
	if err != nil && strings.Contains(err.Error(), ": 404 ") {
		answer, tokenErr := line.Do(Request{Method: "POST", Path: "/api/files/token", Token: who.Token})
		if tokenErr != nil {
			return errors.Join(err, tokenErr)
		}
		var file struct{ Token string }
		if err := json.Unmarshal(answer, &file); err != nil {
			return err
		}
		*start = time.Now()
		body, err = line.Do(Request{Method: "GET", Path: path + "?thumb=" + size + "&token=" + file.Token})
	}
	if err == nil && len(body) < 1000 {
		err = fmt.Errorf("thumb %s of %s has %d bytes", size, path, len(body))
	}
	return err
}

// rest waits until the server uses next to no CPU, so that what it does later is counted where it belongs.
func (t *Target) rest(ctx context.Context) {
	if t.CPU == nil {
		return
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; {
		before := t.CPU()
		sleep(ctx, 300*time.Millisecond)
		if t.CPU()-before <= 10*time.Millisecond {
			return
		}
	}
}
