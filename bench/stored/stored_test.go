package stored

import "testing"

func TestCompareNamesWhatIsWrong(t *testing.T) {
	before := Rows{Likes: 10, LikesCounted: 10, NotifiedLikes: 10, LikesWrong: 1}
	for _, c := range []struct {
		now  Rows
		w    Acknowledged
		want string
	}{
		{Rows{Likes: 12, LikesCounted: 12, NotifiedLikes: 12, LikesWrong: 1}, Acknowledged{Likes: 2}, ""},
		{Rows{Likes: 12, LikesCounted: 12, NotifiedLikes: 12, LikesWrong: 1}, Acknowledged{Likes: 1, UnknownWrites: 1}, ""},
		{Rows{Likes: 11, LikesCounted: 11, NotifiedLikes: 11}, Acknowledged{Likes: 2}, "1 likes stored, 2 acknowledged"},
		{Rows{Likes: 12, LikesCounted: 11, NotifiedLikes: 12}, Acknowledged{Likes: 2}, "2 likes stored, 1 counted"},
		{Rows{Likes: 12, LikesCounted: 12, NotifiedLikes: 12, LikesWrong: 3}, Acknowledged{Likes: 2}, "2 more posts count their likes wrong"},
		{Rows{Likes: 12, LikesCounted: 12, NotifiedLikes: 11}, Acknowledged{Likes: 2}, "2 likes stored, 1 told"},
	} {
		if got := CompareRows(before, c.now, c.w); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
