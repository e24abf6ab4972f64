// Package stored compares what the tool finds in a data folder with what the benchmark expects there.
package stored

import (
	"fmt"
	"strings"
)

// Rows counts what a data folder holds.
type Rows struct {
	Likes         int // rows
	LikesCounted  int // the sum of the posts' counts
	LikesWrong    int // posts whose count is not the number of their rows
	NotifiedLikes int // likes that the posts' owners were notified of
	GroupsWrong   int // notifications whose count is not the number of their actors
	Comments      int
	CommentsTotal int // the sum of the posts' counts
	Posts         int
	Tray          int // notifications of likes of the one post asked about
}

// Acknowledged counts the writes that a server acknowledged between two checks, and those that may be stored or not.
type Acknowledged struct{ Likes, Comments, Posts, UnknownWrites int }

// CompareRows returns in words what is wrong with the rows that were added between before and now, or "" if nothing
// is.
func CompareRows(before, now Rows, w Acknowledged) string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	stored := func(what string, n, want int) {
		if n < want || n > want+w.UnknownWrites {
			say("%d %s stored, %d acknowledged", n, what, want)
		}
	}
	likes, comments := now.Likes-before.Likes, now.Comments-before.Comments
	stored("likes", likes, w.Likes)
	stored("comments", comments, w.Comments)
	stored("posts", now.Posts-before.Posts, w.Posts)
	if n := now.LikesCounted - before.LikesCounted; n != likes {
		say("%d likes stored, %d counted", likes, n)
	} else if n := now.LikesWrong - before.LikesWrong; n > 0 {
		say("%d more posts count their likes wrong", n)
	}
	if n := now.CommentsTotal - before.CommentsTotal; n != comments {
		say("%d comments stored, %d counted", comments, n)
	}
	if n := now.NotifiedLikes - before.NotifiedLikes; n != likes {
		say("%d likes stored, %d told", likes, n)
	}
	if n := now.GroupsWrong - before.GroupsWrong; n > 0 {
		say("%d more notifications count wrong", n)
	}
	return strings.Join(wrong, "; ")
}
