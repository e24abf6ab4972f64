package hooks_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"github.com/doubletap/doubletap/hooks/hookstest"
)

// TestPhotosAreRenderedFairly: 72 photos of one person, all older, do not delay another's first.
func TestPhotosAreRenderedFairly(t *testing.T) {
	s := newPhotoService(t)
	ada, bob := s.As("ada"), s.As("bob")
	const posts, photos = 8, 9
	done := func() int {
		return s.Rows("posts", "author = {:ada} AND json_array_length(media) > 0", map[string]any{"ada": ada.ID})
	}
	collection, err := s.App.FindCollectionByNameOrId("posts")
	if err != nil {
		t.Fatal(err)
	}
	for range posts {
		post := core.NewRecord(collection)
		post.Load(map[string]any{"author": ada.ID, "visibility": "public"})
		for range photos {
			file, err := filesystem.NewFileFromBytes(hookstest.Photo(), "photo.jpg")
			if err != nil {
				t.Fatal(err)
			}
			post.Set("photos+", file)
		}
		if err := s.App.Save(post); err != nil {
			t.Fatal(err)
		}
		if n := len(post.GetStringSlice("photos")); n != photos {
			t.Fatalf("a post has %d photos", n)
		}
	}
	first := bob.Post("")
	before := -1
	s.App.OnRecordAfterUpdateSuccess("posts").BindFunc(func(e *core.RecordEvent) error {
		if e.Record.Id == first {
			before = done()
		}
		return e.Next()
	})
	var workers sync.WaitGroup
	for range min(max(1, runtime.NumCPU()-1), 8) + 1 { // one more than a person may have
		workers.Go(func() {
			if _, err := s.Social.DrainJobs(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	if before < 0 || before > posts/2 {
		t.Errorf("bob's only photo came after %d of ada's %d posts", before, posts)
	}
	if n := done(); n != posts {
		t.Errorf("%d of ada's posts are rendered in the end", n)
	}
}
