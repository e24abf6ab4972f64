package hooks_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/photo/phototest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestPhotosAreNamedAfterTheirKind: the sender's file name does not decide how a file is decoded, whichever way it
// comes.
func TestPhotosAreNamedAfterTheirKind(t *testing.T) {
	testenv.SkipSequential(t)
	s := newPhotoService(t)
	ada, admin, guest := s.As("ada"), s.Admin(), s.Guest()
	scene := phototest.DrawScene(64, 48)
	kinds := map[string][]byte{
		".jpg": phototest.EncodeJPEG(scene, 80), ".png": phototest.TaggedPNG(scene, 1, ""), ".gif": phototest.TaggedGIF(scene, 1), ".webp": phototest.Fixture("lossy.webp"),
	}
	upload := func(field, name string, photo []byte, fields map[string]string) *hookstest.Upload {
		return &hookstest.Upload{Fields: fields, Files: map[string][]byte{field: photo}, Name: name}
	}
	batch := func(c *hookstest.Client, method, path, field, name string, photo []byte) map[string]any {
		text, err := json.Marshal(map[string]any{"requests": []any{map[string]any{"method": method, "url": path, "body": map[string]any{}}}})
		if err != nil {
			t.Fatal(err)
		}
		a := c.Must(200, "POST", "/api/batch", upload("requests.0."+field, name, photo, map[string]string{"@jsonPayload": string(text)}))
		var items []struct{ Body map[string]any }
		if err := json.Unmarshal([]byte(a.Raw), &items); err != nil || len(items) != 1 {
			t.Fatalf("a batch answers %s", a.Raw)
		}
		return items[0].Body
	}
	const posts, stories, users = "/api/collections/posts/records", "/api/collections/stories/records", "/api/collections/users/records"
	signUp := 0
	doors := map[string]func(name string, photo []byte) map[string]any{
		"a post": func(name string, photo []byte) map[string]any {
			return ada.Must(200, "POST", posts, upload("photos", name, photo, nil)).Body
		},
		"a post in a batch": func(name string, photo []byte) map[string]any {
			return batch(ada, "POST", posts, "photos", name, photo)
		},
		"a superuser's post": func(name string, photo []byte) map[string]any {
			return admin.Must(200, "POST", posts, upload("photos", name, photo, map[string]string{"author": ada.ID, "visibility": "public"})).Body
		},
		"a superuser's change of a post": func(name string, photo []byte) map[string]any {
			return admin.Must(200, "PATCH", posts+"/"+ada.Post(""), upload("photos", name, photo, nil)).Body
		},
		"a photo that a superuser adds to a post": func(name string, photo []byte) map[string]any {
			return admin.Must(200, "PATCH", posts+"/"+ada.Post(""), upload("photos+", name, photo, nil)).Body
		},
		"a story": func(name string, photo []byte) map[string]any {
			return ada.Must(200, "POST", stories, upload("photo", name, photo, nil)).Body
		},
		"an avatar": func(name string, photo []byte) map[string]any {
			return ada.Must(200, "PATCH", users+"/"+ada.ID, upload("avatar", name, photo, nil)).Body
		},
		"a superuser's change of a post in a batch": func(name string, photo []byte) map[string]any {
			return batch(admin, "PATCH", posts+"/"+ada.Post(""), "photos", name, photo)
		},
		"an avatar of who signs up": func(name string, photo []byte) map[string]any {
			signUp++
			handle := "signed" + string(rune('a'+signUp))
			return guest.Must(200, "POST", users, upload("avatar", name, photo, map[string]string{
				"email": handle + "@example.com", "handle": handle, "password": "correct horse", "passwordConfirm": "correct horse",
			})).Body
		},
	}
	shape := regexp.MustCompile(`^[a-z0-9_]+(\.[a-z]+)$`)
	for door, send := range doors {
		n := 0
		for want, photo := range kinds {
			name := []string{"x.exe", "page.html.jpg", "archive.tar.gz", "no_extension"}[n]
			n++
			body := send(name, photo)
			var stored []any
			for _, field := range []string{"photos", "photo", "avatar"} {
				switch v := body[field].(type) {
				case string:
					stored = append(stored, v)
				case []any:
					stored = append(stored, v...)
				}
			}
			if len(stored) == 0 {
				t.Fatalf("%s: no photo in %v", door, body)
			}
			last := stored[len(stored)-1].(string)
			if m := shape.FindStringSubmatch(last); m == nil || m[1] != want {
				t.Errorf("%s sent as %s is stored as %s, want it to end in %s alone", door, name, last, want)
			}
		}
	}
}
