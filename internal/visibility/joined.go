package visibility

import (
	"reflect"
	"strings"

	"github.com/ganigeorgiev/fexpr"
)

// A rule's functions look up a post's author, or a post and its author. A statement that has joined these rows need not
// read them twice: the functions below replace the look-ups in the condition of a plan.

// WithJoinedAuthor returns a condition on the post that the statement calls row. Where the condition is that the viewer
// sees the row's author and visibility, it reads the author, who must be joined as _u.
func WithJoinedAuthor(condition, row, viewer string) string {
	author, visibility := "[["+row+".author]]", "[["+row+".visibility]]"
	return strings.ReplaceAll(condition, "("+seesSQL(viewer, author, visibility)+") IS 1", authorVisibleSQL(viewer, visibility))
}

// WithJoinedPost returns a condition in which seesPost of the post whose id is the SQL post reads that post, which must
// be joined as _p, and its author, who must be joined as _u.
func WithJoinedPost(condition, post, viewer string) string {
	return strings.ReplaceAll(condition, "("+seesPostSQL(viewer, post)+") IS 1", postVisibleSQL(viewer))
}

// Requires reports whether a rule lets in nobody for whom the condition, one comparison in the rule language, does not
// hold. It returns false where it cannot tell.
func Requires(rule *string, condition string) bool {
	if rule == nil {
		return false
	}
	groups, err := fexpr.Parse(*rule)
	wanted, wantedErr := fexpr.Parse(condition)
	if err != nil || wantedErr != nil {
		return false
	}
	found := false
	for _, group := range groups {
		if group.Join != fexpr.JoinAnd {
			return false
		}
		found = found || reflect.DeepEqual(group.Item, wanted[0].Item)
	}
	return found
}

// The rules of posts and users as they ship. Every page reads posts, so their rule has a form that is a tenth cheaper
// than its plan; and where both are as they ship, what they imply need not be asked again. (Steps of SQLite for 20 pages
// of a profile with authors, of the feed with authors: 39,854 and 72,324; by the plans alone 46,889 and 104,643.)
const (
	ShippedPostRule = `(@request.auth.id != "" && author = @request.auth.id) || (hidden = false && sees(@request.auth.id, author, visibility) = true)`
	ShippedUserRule = `(@request.auth.id != "" && id = @request.auth.id) || (state = "active" && blockedBy(@request.auth.id, id) = false)`
)

// ShippedPostSQL is ShippedPostRule as a condition for statements that have the post as _p, its author as _u, and the
// signed-in viewer as the parameter me. It is also what WithJoinedPost makes of seesPost.
var ShippedPostSQL = postVisibleSQL("{:me}")
