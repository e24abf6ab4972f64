package hooks_test

import (
	"bytes"
	"image"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestSizesOfAnOwnersChoice asks for sizes that an owner lists besides those of the product, and for others.
func TestSizesOfAnOwnersChoice(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	ada.Update("users", ada.ID, &hookstest.Upload{Files: map[string][]byte{"avatar": hookstest.Photo()}})
	for _, path := range []string{
		"/api/files/users/" + ada.ID + "/" + s.User("ada").GetString("avatar"),
		"/api/files/posts/" + post + "/" + s.Record("posts", post).GetStringSlice("photos")[0],
	} {
		s.Guest().Must(404, "GET", path+"?thumb=20x10b", nil)
	}
	for collection, field := range map[string]string{"users": "avatar", "posts": "photos"} {
		c, _ := s.App.FindCollectionByNameOrId(collection)
		file := c.Fields.GetByName(field).(*core.FileField)
		file.Thumbs = append(file.Thumbs, "20x10b")
		if err := s.App.Save(c); err != nil {
			t.Fatal(err)
		}
		id := map[string]string{"users": ada.ID, "posts": post}[collection]
		path := "/api/files/" + collection + "/" + id + "/" + s.Record(collection, id).GetStringSlice(field)[0]
		answer := s.Guest().Must(200, "GET", path+"?thumb=20x10b", nil)
		picture, _, err := image.DecodeConfig(bytes.NewReader([]byte(answer.Raw)))
		if err != nil || picture.Width != 20 || picture.Height != 10 {
			t.Errorf("%s: %dx%d, %v", path, picture.Width, picture.Height, err)
		}
		s.Guest().Must(404, "GET", path+"?thumb=21x10b", nil)
	}
}
