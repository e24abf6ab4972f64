package demo

import (
	"sync"
	"sync/atomic"
	"testing"
)

// TestManyPostsSharePictures: painting is most of what a post costs.
func TestManyPostsSharePictures(t *testing.T) {
	w, err := planWorld(Size{Users: 50, Posts: 3000})
	if err != nil {
		t.Fatal(err)
	}
	type picture struct {
		scene string
		seed  uint64
	}
	all, photos := map[picture]bool{}, 0
	for _, p := range w.posts {
		inPost := map[picture]bool{}
		for _, photo := range p.photos {
			one := picture{photo.scene.alt, photo.seed}
			if inPost[one] {
				t.Errorf("post %s has a picture twice", p.id)
			}
			inPost[one], all[one] = true, true
			photos++
		}
	}
	if want := len(photoMotifs) * picturesPerMotif; photos < 3000 || len(all) != want {
		t.Errorf("%d photos are %d pictures, want %d", photos, len(all), want)
	}
}

func TestAPictureIsPaintedOnce(t *testing.T) {
	var g gallery
	var painted atomic.Int32
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			if got := g.findPicture(n%2, func() []byte { painted.Add(1); return []byte{byte(n % 2)} }); got[0] != byte(n%2) {
				t.Errorf("picture %d is %d", n%2, got[0])
			}
		})
	}
	all.Wait()
	if n := painted.Load(); n != 2 {
		t.Errorf("2 pictures were painted %d times", n)
	}
	if first, again := g.findPortrait(lookOf(7)), g.findPortrait(lookOf(7)); &first[0] != &again[0] {
		t.Error("a face was painted twice")
	}
}
