package demo

import (
	"regexp"
	"testing"
)

func TestSizeScales(t *testing.T) {
	for _, test := range []struct {
		users int
		given map[string]bool
		want  Size
	}{
		{users: 50, want: Size{Users: 50, Posts: 200, Likes: 2000, Comments: 400, Follows: 500}},
		{users: 2, want: Size{Users: 2, Posts: 8, Likes: 8, Comments: 16}},
		{users: 0, want: Size{}},
		{users: 50, given: map[string]bool{"posts": true, "likes": true}, want: Size{Users: 50, Follows: 500}},
	} {
		size := Size{Users: test.users}
		size.SetDefaults(func(flag string) bool { return test.given[flag] })
		if size != test.want {
			t.Errorf("%d users: %+v, want %+v", test.users, size, test.want)
		}
		if _, err := planWorld(size); err != nil {
			t.Errorf("%+v cannot be: %v", size, err)
		}
	}
}

// TestHandlesOfACity: account.FindFreeHandle must not change the handles, or they would have a random part.
func TestHandlesOfACity(t *testing.T) {
	w, err := planWorld(Size{Users: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	seen, fine := map[string]bool{}, regexp.MustCompile(`^[a-z0-9_]{3,20}$`)
	for _, p := range w.people {
		if seen[p.handle] || !fine.MatchString(p.handle) {
			t.Errorf("%s is a handle twice, or is none", p.handle)
		}
		seen[p.handle] = true
	}
}
