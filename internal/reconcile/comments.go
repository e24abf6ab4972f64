package reconcile

var unlikeComments = mendByDelete("comment_likes", "comment")

func commentInvariants() []*Invariant {
	return []*Invariant{
		{
			Check: "comments", Name: "root", Holds: "A comment does not answer itself.", Cost: Hourly, Table: "comments", Broken: `t.parent = t.id`,
			Mend: mendByStatements(`UPDATE comments SET parent = '' WHERE id IN @ids`),
		},
		{
			Check: "comments", Name: "depth", Holds: "A reply is stored under the root of its thread.", Cost: Hourly, Table: "comments",
			Broken: `t.parent NOT IN ('', t.id) AND EXISTS (SELECT 1 FROM comments p WHERE p.id = t.parent AND p.parent NOT IN ('', p.id))`,
			Mend:   mendByStatements(`UPDATE comments AS t SET parent = (SELECT p.parent FROM comments p WHERE p.id = t.parent) WHERE id IN @ids`),
		},
		{
			Check: "comments", Name: "thread", Holds: "A reply is under the post of the comment that it answers.", Cost: Hourly, Table: "comments",
			Broken: `t.parent != '' AND EXISTS (SELECT 1 FROM comments p WHERE p.id = t.parent AND p.post != t.post)`,
			Mend:   mendByStatements(`UPDATE comments AS t SET post = (SELECT p.post FROM comments p WHERE p.id = t.parent) WHERE id IN @ids`),
		},
		{
			Check: "comments", Name: "tombstone", Holds: "A deleted comment has neither words nor author nor likes.", Cost: Hourly, Table: "comments",
			Broken: `t.deleted AND (t.text != '' OR t.author != '' OR EXISTS (SELECT 1 FROM comment_likes l WHERE l.comment = t.id))`,
			Mend:   mendInTurn(unlikeComments, mendByStatements(`UPDATE comments SET text = '', author = '' WHERE id IN @ids`)),
		},
		{
			Check: "comments", Name: "author", Holds: "Words have an author.", Cost: Hourly, Table: "comments", Broken: `t.author = '' AND NOT t.deleted`,
			Mend: mendInTurn(unlikeComments, mendByStatements(`UPDATE comments SET text = '', deleted = 1 WHERE id IN @ids`)),
		},
		{
			Check: "comments", Name: "words", Holds: "A comment says something.", Cost: Hourly, Table: "comments", Broken: `t.text = '' AND t.author != '' AND NOT t.deleted`,
			WhyNotRepaired: "what was said is not known: its author or the post's deletes it",
		},
		{
			Check: "comments", Name: "gone-id", On: "comments", Holds: "What is there is not remembered as gone.", Cost: Hourly, Table: "comments", Broken: goneIDCondition, Mend: forgetGone,
		},
	}
}
