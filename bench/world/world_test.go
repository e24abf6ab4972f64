package world

import (
	"slices"
	"testing"
)

func TestWorldIsConsistent(t *testing.T) {
	w := New(Toy)
	for _, post := range []int{0, 1, 777, Toy.Posts - 1} {
		author := w.AuthorOf(post)
		if !slices.Contains(w.PostsOf(author), post) {
			t.Errorf("post %d is not among its author's", post)
		}
		seen := map[int]bool{author: true}
		likers := w.LikersOf(post)
		if len(likers) != Toy.Likes {
			t.Errorf("post %d has %d likes, want %d", post, len(likers), Toy.Likes)
		}
		for _, liker := range likers {
			if seen[liker] {
				t.Errorf("post %d is liked twice by %d, or by its author", post, liker)
			}
			seen[liker] = true
		}
		for n := range w.NonLikerCount() {
			who := w.NonLikerOf(post, n)
			if seen[who] || who >= Toy.Users+Toy.Crowd {
				t.Errorf("fresh liker %d of post %d is %d, who likes it already or is nobody", n, post, who)
			}
			seen[who] = true
		}
		if len(seen) != Toy.Users+Toy.Crowd {
			t.Errorf("%d people are accounted for, want %d", len(seen), Toy.Users+Toy.Crowd)
		}
		if !w.LikedAt(post, 0).After(w.PostedAt(post)) {
			t.Errorf("post %d was liked before it was made", post)
		}
	}
	for n := range Toy.Follows {
		followee := w.FolloweeOf(3, n)
		if followee == 3 || !slices.Contains(w.FollowersOf(followee), 3) {
			t.Errorf("user 3 follows %d, who does not know", followee)
		}
	}
}

func TestIDsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for kind := User; kind <= Setting; kind++ {
		for n := range 20_000 {
			id := RowID(kind, n)
			if len(id) != 15 || seen[id] {
				t.Fatalf("id %q of %d/%d is no good", id, kind, n)
			}
			seen[id] = true
		}
	}
}
