package collection

var posts = []Descriptor{
	{ // before posts: an account that is erased loses its comments before its posts
		Name: "comments", Owner: "author", ClientChoosesID: true, TakesKeys: true, ReadsRelations: true, GoneJob: "comment.gone", Moments: stamps,
		ServerFields: []string{"deleted", "hidden"}, RequiredTexts: []string{"text"},
		Relations: []Relation{
			{"post", "posts", DeleteRows}, {"author", "users", DeleteRecords},
			{"parent", "comments", SpecialPart}, // one that is answered stays, as a tombstone
		},
		Counts: []Count{{"post", "posts", "commentsCount", "1"}, {"parent", "comments", "repliesCount", "1"}},
		Events: Events{Noun: "comment", Created: true, Deleted: true, Updated: []Change{
			{Verb: "updated", Fields: []string{"text", "hidden"}, Unless: "deleted"},
		}},
		Bound: "its post. Without its author it stays as a tombstone while others answer it",
	},
	{
		Name: "comment_likes", Owner: "user", Ends: []string{"comment", "user"}, ReadsRelations: true, Moments: stamps,
		Relations: []Relation{{"comment", "comments", DeleteRows}, {"user", "users", DeleteRows}},
		Counts:    []Count{{"comment", "comments", "likesCount", "1"}},
		Events:    Events{Noun: "comment_like", Created: true, Deleted: true},
		Bound:     "one for each comment and user; goes with either",
	},
	{
		Name: "posts", Owner: "author", ClientChoosesID: true, TakesKeys: true, ReadsRelations: true, GoneJob: "post.gone", Photos: "photos", Moments: stamps,
		ServerFields: []string{"hidden", "media"},
		Relations:    []Relation{{"author", "users", DeleteRecords}},
		Counts:       []Count{{"author", "users", "publicPosts", "visibility = 'public' AND hidden = 0"}},
		Shapes:       map[string]Shape{"alts": Texts, "media": PhotoMetas},
		Events: Events{Noun: "post", Created: true, Deleted: true, Updated: []Change{
			{Verb: "updated", Fields: []string{"caption", "alts", "visibility", "place", "geo", "commentsOff", "hidden"}},
		}},
		Bound: "its author, who may delete it; goes with the author",
	},
	{
		Name: "likes", Owner: "user", Ends: []string{"post", "user"}, ReadsRelations: true, Moments: stamps,
		Relations: []Relation{{"post", "posts", DeleteRows}, {"user", "users", DeleteRows}},
		Counts:    []Count{{"post", "posts", "likesCount", "1"}},
		Events:    Events{Noun: "like", Created: true, Deleted: true},
		Bound:     "one for each post and user; goes with either",
	},
	{
		Name: "saves", Owner: "user", Ends: []string{"user", "post"}, Moments: stamps,
		Relations: []Relation{{"user", "users", DeleteRows}, {"post", "posts", DeleteRows}},
		Events:    Events{Noun: "save", Created: true, Deleted: true},
		Bound:     "one for each post and user; goes with either",
	},
	{
		Name: "post_tags", Moments: stamps,
		Relations: []Relation{{"tag", "hashtags", DeleteRows}, {"post", "posts", DeleteRows}},
		Derived:   []string{"counted"},
		Counts:    []Count{{"tag", "hashtags", "postsCount", "counted"}},
		Bound:     "30 for each post; goes with it",
	},
	{
		Name: "hashtags", GoneJob: "hashtag.gone", Moments: stamps,
		Expiries: []Expiry{{
			Name: "hashtags", Days: 30, MinDays: 1, Weight: 5,
			Condition: `NOT banned AND updated < {:before} AND NOT EXISTS (SELECT 1 FROM post_tags WHERE tag = hashtags.id)`,
		}},
		Bound: "posts that have them, and `hashtags` above",
	},
	{
		Name: "stories", Owner: "author", TakesKeys: true, GoneJob: "story.gone", Photos: "photo", Moments: stamps, OtherDates: []string{"expires"},
		ServerFields: []string{"expires"},
		Relations:    []Relation{{"author", "users", DeleteRecords}},
		Events:       Events{Noun: "story", Created: true, Deleted: true},
		Bound:        "a day; removed within the hour after it",
	},
	{
		Name: "story_views", Owner: "viewer", Ends: []string{"story", "viewer"}, Moments: stamps,
		Relations: []Relation{{"story", "stories", DeleteRows}, {"viewer", "users", DeleteRows}},
		Events:    Events{Noun: "story_view", Created: true}, // nobody takes one back
		Bound:     "one for each story and viewer; goes with the story",
	},
	{
		Name: "hidden_posts", Moments: stamps,
		Relations: []Relation{{"viewer", "users", DeleteRows}, {"post", "posts", DeleteRows}},
		Bound:     "one for each post that somebody hid from their feed; goes with either. The feed itself stores nothing",
	},
	{Name: "feed", IsView: true}, // of posts, follows and what is hidden
}
