package collection

var graph = []Descriptor{
	{
		Name: "follows", Owner: "follower", Ends: []string{"follower", "followee"}, ReadsRelations: true, Moments: stamps,
		ServerFieldsOnCreate: []string{"state"},
		Relations:            []Relation{{"follower", "users", DeleteRows}, {"followee", "users", DeleteRows}},
		Counts: []Count{
			{"followee", "users", "followersCount", "state = 'accepted'"},
			{"follower", "users", "followingCount", "state = 'accepted'"},
		},
		Events: Events{Noun: "follow", Created: true, Deleted: true, Updated: []Change{{Verb: "accepted", Fields: []string{"state"}}}},
		Bound:  "its two users; goes with either",
	},
	{
		Name: "blocks", Owner: "blocker", Ends: []string{"blocker", "blocked"}, ReadsRelations: true, Moments: stamps,
		// last, when they have nothing left to hide
		Relations: []Relation{{"blocker", "users", DeleteRowsLast}, {"blocked", "users", DeleteRowsLast}},
		Events:    Events{Noun: "block", Created: true, Deleted: true},
		Bound:     "its two users; goes with either",
	},
	{
		Name: "mutes", Owner: "muter", Ends: []string{"muter", "muted", "post"}, Moments: stamps, OtherDates: []string{"until"},
		Relations: []Relation{{"muter", "users", DeleteRows}, {"muted", "users", DeleteRows}, {"post", "posts", DeleteRows}},
		Events:    Events{Noun: "mute", Created: true, Deleted: true},
		Expiries:  []Expiry{{Name: "mutes", Days: 30, MinDays: 0, Condition: `until != '' AND until < {:before}`}},
		Bound:     "its users and post, and `mutes` above",
	},
}
