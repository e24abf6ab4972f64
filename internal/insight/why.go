package insight

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/core"

	"doubletap/internal/db"
)

// Reason tells whether somebody may see a record, and why.
type Reason struct {
	Sees   bool    `json:"sees"`
	Viewer string  `json:"viewer"` // who looks, in words
	Rule   *Clause `json:"rule"`   // null where no rule decides
	Says   string  `json:"says"`   // in words, where no rule decides
	Facts  []Fact  `json:"facts"`  // what the rule's functions look at
}

// Clause is a rule or a part of one, judged by itself.
type Clause struct {
	Text    string    `json:"text"`
	Holds   bool      `json:"holds"`
	Decides bool      `json:"decides"` // the answer follows from this one
	Joined  string    `json:"joined"`  // all or any of the parts must hold; empty for a comparison
	Parts   []*Clause `json:"parts"`
}

// Fact is one thing that is so.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Why judges the view rule of a record for viewer, a users record or nil for a guest, as PocketBase does, and each of its
// clauses by itself.
func Why(app core.App, viewer, record *core.Record) (*Reason, error) {
	reason := &Reason{Viewer: "a guest", Facts: []Fact{}}
	if viewer != nil {
		reason.Viewer = "@" + viewer.GetString("handle")
	}
	switch rule := record.Collection().ViewRule; {
	case rule == nil:
		reason.Says = "Only superusers see these records."
	case *rule == "":
		reason.Says, reason.Sees = "Everybody sees these records.", true
	default:
		groups, err := fexpr.Parse(*rule)
		if err != nil {
			return nil, fmt.Errorf("read the rule of %s: %w", record.Collection().Name, err)
		}
		j := judge{app, record, &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: http.MethodGet, Auth: viewer}}
		if reason.Rule, err = j.any(groups); err != nil {
			return nil, err
		}
		if reason.Sees, err = app.CanAccessRecord(record, j.info, rule); err != nil {
			return nil, fmt.Errorf("judge %s %s: %w", record.Collection().Name, record.Id, err)
		}
		reason.Rule.decide()
	}
	var err error
	reason.Facts, err = facts(app, viewer, record)
	return reason, err
}

type judge struct {
	app    core.App
	record *core.Record
	info   *core.RequestInfo
}

// any reads a list of expressions: || joins what && has joined.
func (j judge) any(groups []fexpr.ExprGroup) (*Clause, error) {
	var alternatives [][]fexpr.ExprGroup
	for i, group := range groups {
		if i == 0 || group.Join == fexpr.JoinOr {
			alternatives = append(alternatives, nil)
		}
		alternatives[len(alternatives)-1] = append(alternatives[len(alternatives)-1], group)
	}
	return j.join("any", " || ", len(alternatives), func(i int) (*Clause, error) {
		return j.join("all", " && ", len(alternatives[i]), func(k int) (*Clause, error) {
			switch item := alternatives[i][k].Item.(type) {
			case fexpr.Expr:
				return j.clause(text(item.Left) + " " + string(item.Op) + " " + text(item.Right))
			case fexpr.ExprGroup:
				return j.any([]fexpr.ExprGroup{item})
			case []fexpr.ExprGroup:
				return j.any(item)
			}
			return nil, fmt.Errorf("a rule of %T", alternatives[i][k].Item)
		})
	})
}

func (j judge) join(word, sign string, n int, part func(i int) (*Clause, error)) (*Clause, error) {
	if n == 1 {
		return part(0)
	}
	parts, texts := make([]*Clause, n), make([]string, n)
	for i := range n {
		var err error
		if parts[i], err = part(i); err != nil {
			return nil, err
		}
		texts[i] = parts[i].Text
		if parts[i].Joined != "" {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	c, err := j.clause(strings.Join(texts, sign))
	if err == nil {
		c.Joined, c.Parts = word, parts
	}
	return c, err
}

func (j judge) clause(text string) (*Clause, error) {
	holds, err := j.app.CanAccessRecord(j.record, j.info, &text)
	if err != nil {
		return nil, fmt.Errorf("judge %q: %w", text, err)
	}
	return &Clause{Text: text, Holds: holds, Parts: []*Clause{}}, nil
}

// decide marks the clauses from which the answer follows: the first that failed where all must hold, the first that held
// where any may, and all of them otherwise.
func (c *Clause) decide() {
	c.Decides = true
	one := c.Joined == "any" && c.Holds || c.Joined == "all" && !c.Holds
	for _, part := range c.Parts {
		if part.Holds == c.Holds {
			part.decide()
			if one {
				return
			}
		}
	}
}

// text writes a token as it was in the rule.
func text(token fexpr.Token) string {
	switch token.Type {
	case fexpr.TokenText:
		return `"` + strings.ReplaceAll(token.Literal, `"`, `\"`) + `"`
	case fexpr.TokenFunction:
		arguments, _ := token.Meta.([]fexpr.Token)
		texts := make([]string, len(arguments))
		for i, argument := range arguments {
			texts[i] = text(argument)
		}
		return token.Literal + "(" + strings.Join(texts, ", ") + ")"
	}
	return token.Literal
}

// facts are what lies between the viewer and the author of what the record belongs to.
func facts(app core.App, viewer, record *core.Record) ([]Fact, error) {
	all := []Fact{}
	post, author := record, record
	for _, field := range []string{"comment", "post"} { // a like of a comment belongs to its post
		if id := post.GetString(field); id != "" {
			next, err := db.FindRecord(app, field+"s", id)
			if err != nil {
				return nil, err
			}
			if next != nil { // else it is gone
				post = next
			}
		}
	}
	if post.Collection().Name == "posts" {
		all = append(all, Fact{"the post's audience", post.GetString("visibility")}, Fact{"hidden by a moderator", yes(post.GetBool("hidden"))})
		owner, err := app.FindRecordById("users", post.GetString("author"))
		if err != nil {
			return nil, fmt.Errorf("find the author of %s: %w", post.Id, err)
		}
		author = owner
	}
	if author.Collection().Name != "users" {
		return all, nil
	}
	all = append(all, Fact{"the account", "@" + author.GetString("handle")}, Fact{"state of the account", author.GetString("state")},
		Fact{"private account", yes(author.GetBool("private"))})
	if viewer == nil {
		return all, nil
	}
	if viewer.Id == author.Id {
		return append(all, Fact{"the viewer's own", "yes"}), nil
	}
	var follow string
	var blocks, blocked bool
	_, err := db.Row(app, `SELECT coalesce((SELECT state FROM follows WHERE follower = {:v} AND followee = {:a}), 'no'),
		EXISTS (SELECT 1 FROM blocks WHERE blocker = {:v} AND blocked = {:a}), EXISTS (SELECT 1 FROM blocks WHERE blocker = {:a} AND blocked = {:v})`,
		db.Params{"v": viewer.Id, "a": author.Id}, &follow, &blocks, &blocked)
	if err != nil {
		return nil, fmt.Errorf("read what is between %s and %s: %w", viewer.Id, author.Id, err)
	}
	return append(all, Fact{"the viewer follows", follow}, Fact{"the viewer blocks the account", yes(blocks)}, Fact{"the account blocks the viewer", yes(blocked)}), nil
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
