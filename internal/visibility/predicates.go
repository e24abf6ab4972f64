package visibility

// What may be between two people, or between a person and a post, as SQL conditions. Each argument is SQL itself: a
// column, a parameter or a literal. The conditions alias the tables that they read, so that they can stand in any
// statement.

// FollowsSQL is true when the follower follows the followee and was accepted.
func FollowsSQL(follower, followee string) string {
	return "EXISTS (SELECT 1 FROM {{follows}} {{_f}} WHERE [[_f.follower]] = " + follower + " AND [[_f.followee]] = " + followee + " AND [[_f.state]] = 'accepted')"
}

// BlocksSQL is true when the blocker blocks the blocked.
func BlocksSQL(blocker, blocked string) string {
	return "EXISTS (SELECT 1 FROM {{blocks}} {{_b}} WHERE [[_b.blocker]] = " + blocker + " AND [[_b.blocked]] = " + blocked + ")"
}

// EitherBlocksSQL is true when one of two users blocks the other.
func EitherBlocksSQL(a, b string) string {
	return "(" + BlocksSQL(b, a) + " OR " + BlocksSQL(a, b) + ")"
}

// MutesUserSQL is true when the muter mutes the user at the time {:now}.
func MutesUserSQL(muter, user string) string {
	return "EXISTS (SELECT 1 FROM {{mutes}} {{_m}} WHERE [[_m.muter]] = " + muter + " AND [[_m.muted]] = " + user + " AND [[_m.post]] = '' AND " + muteLasts + ")"
}

// SilencesUserSQL is true when the muter is not to be told of what the user does: MutesUserSQL without the mutes that
// keep notifications.
func SilencesUserSQL(muter, user string) string {
	return "EXISTS (SELECT 1 FROM {{mutes}} {{_m}} WHERE [[_m.muter]] = " + muter + " AND [[_m.muted]] = " + user + " AND [[_m.post]] = '' AND " + muteSilences + ")"
}

// SilencesPostSQL is true when the muter is not to be told of what happens to the post, which may be empty for no post.
func SilencesPostSQL(muter, post string) string {
	return "EXISTS (SELECT 1 FROM {{mutes}} {{_m}} WHERE [[_m.muter]] = " + muter + " AND [[_m.muted]] = '' AND [[_m.post]] = " + post + " AND [[_m.post]] != '' AND " + muteSilences + ")"
}

var (
	muteLasts    = MuteLastsSQL("[[_m.until]]", "{:now}")
	muteSilences = "NOT [[_m.keepNotifications]] AND " + muteLasts
)

// MuteLastsSQL is true for a mute that has not ended at the time now; until is its end, which may be empty.
func MuteLastsSQL(until, now string) string {
	return "(" + until + " = '' OR " + until + " > " + now + ")"
}

// ForOthersSQL is true for a post that others than its author may be shown, whoever they are: post.IsForOthers as SQL.
// post is the name of its row in the statement.
func ForOthersSQL(post string) string {
	return "(" + post + ".visibility != 'private' AND NOT " + post + ".hidden)"
}

// OpenAccountSQL is true for an account whose public posts anybody may see. account is the name of its row in the
// statement.
func OpenAccountSQL(account string) string {
	return "(" + account + ".state = 'active' AND NOT " + account + ".private)"
}
