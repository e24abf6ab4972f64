package insight

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Explanation tells whether somebody may see a record, and why.
type Explanation struct {
	Sees   bool    `json:"sees"`
	Viewer string  `json:"viewer"` // who would see it, in words
	Rule   *Clause `json:"rule"`   // null where no rule decides
	Says   string  `json:"says"`   // the reason in words, where no rule decides
	Facts  []Fact  `json:"facts"`  // what the rule's functions depend on
}

// Clause is a rule or a part of one, judged by itself.
type Clause struct {
	Text    string    `json:"text"`
	Holds   bool      `json:"holds"`
	Decides bool      `json:"decides"` // the answer follows from this one
	Joined  string    `json:"joined"`  // all or any of the parts must hold; empty for a comparison
	Parts   []*Clause `json:"parts"`
}

// Fact is one thing that is true of the viewer, the record or its author.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ExplainView judges the view rule of a record, and each of its clauses by itself, as PocketBase does for the viewer, a
// user or nil for a guest.
func ExplainView(app core.App, viewer, record *core.Record) (*Explanation, error) {
	reason := &Explanation{Viewer: "a guest", Facts: []Fact{}}
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
		j := ruleJudge{app, record, &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: http.MethodGet, Auth: viewer}}
		if reason.Rule, err = j.judgeGroups(groups); err != nil {
			return nil, err
		}
		if reason.Sees, err = app.CanAccessRecord(record, j.info, rule); err != nil {
			return nil, fmt.Errorf("judge %s %s: %w", record.Collection().Name, record.Id, err)
		}
		reason.Rule.markDecisive()
	}
	var err error
	reason.Facts, err = collectFacts(app, viewer, record)
	return reason, err
}

type ruleJudge struct {
	app    core.App
	record *core.Record
	info   *core.RequestInfo
}

// judgeGroups judges a list of expressions; && binds them more tightly than ||.
func (j ruleJudge) judgeGroups(groups []fexpr.ExprGroup) (*Clause, error) {
	var alternatives [][]fexpr.ExprGroup
	for i, group := range groups {
		if i == 0 || group.Join == fexpr.JoinOr {
			alternatives = append(alternatives, nil)
		}
		alternatives[len(alternatives)-1] = append(alternatives[len(alternatives)-1], group)
	}
	return j.joinClauses("any", " || ", len(alternatives), func(i int) (*Clause, error) {
		return j.joinClauses("all", " && ", len(alternatives[i]), func(k int) (*Clause, error) {
			switch item := alternatives[i][k].Item.(type) {
			case fexpr.Expr:
				return j.judgeClause(tokenText(item.Left) + " " + string(item.Op) + " " + tokenText(item.Right))
			case fexpr.ExprGroup:
				return j.judgeGroups([]fexpr.ExprGroup{item})
			case []fexpr.ExprGroup:
				return j.judgeGroups(item)
			}
			return nil, fmt.Errorf("a rule of %T", alternatives[i][k].Item)
		})
	})
}

func (j ruleJudge) joinClauses(word, sign string, n int, part func(i int) (*Clause, error)) (*Clause, error) {
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
	c, err := j.judgeClause(strings.Join(texts, sign))
	if err == nil {
		c.Joined, c.Parts = word, parts
	}
	return c, err
}

func (j ruleJudge) judgeClause(text string) (*Clause, error) {
	holds, err := j.app.CanAccessRecord(j.record, j.info, &text)
	if err != nil {
		return nil, fmt.Errorf("judge %q: %w", text, err)
	}
	return &Clause{Text: text, Holds: holds, Parts: []*Clause{}}, nil
}

// markDecisive marks the clauses from which the answer follows: the first that fails where all must hold, the first
// that holds where any may, and otherwise all of them.
func (c *Clause) markDecisive() {
	c.Decides = true
	one := c.Joined == "any" && c.Holds || c.Joined == "all" && !c.Holds
	for _, part := range c.Parts {
		if part.Holds == c.Holds {
			part.markDecisive()
			if one {
				return
			}
		}
	}
}

// tokenText returns a token as it is written in the rule.
func tokenText(token fexpr.Token) string {
	switch token.Type {
	case fexpr.TokenText:
		return `"` + strings.ReplaceAll(token.Literal, `"`, `\"`) + `"`
	case fexpr.TokenFunction:
		arguments, _ := token.Meta.([]fexpr.Token)
		texts := make([]string, len(arguments))
		for i, argument := range arguments {
			texts[i] = tokenText(argument)
		}
		return token.Literal + "(" + strings.Join(texts, ", ") + ")"
	}
	return token.Literal
}

// collectFacts returns what is between the viewer and the author of the post or account that the record belongs to.
func collectFacts(app core.App, viewer, record *core.Record) ([]Fact, error) {
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
		all = append(all, Fact{"the post's audience", post.GetString("visibility")}, Fact{"hidden by a moderator", yesOrNo(post.GetBool("hidden"))})
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
		Fact{"private account", yesOrNo(author.GetBool("private"))})
	if viewer == nil {
		return all, nil
	}
	if viewer.Id == author.Id {
		return append(all, Fact{"the viewer's own", "yes"}), nil
	}
	var follow string
	var blocks, blocked bool
	_, err := db.QueryRow(app, `SELECT coalesce((SELECT state FROM follows WHERE follower = {:v} AND followee = {:a}), 'no'),
		`+visibility.BlocksSQL("{:v}", "{:a}")+", "+visibility.BlocksSQL("{:a}", "{:v}"),
		db.Params{"v": viewer.Id, "a": author.Id}, &follow, &blocks, &blocked)
	if err != nil {
		return nil, fmt.Errorf("read what is between %s and %s: %w", viewer.Id, author.Id, err)
	}
	return append(all, Fact{"the viewer follows", follow}, Fact{"the viewer blocks the account", yesOrNo(blocks)}, Fact{"the account blocks the viewer", yesOrNo(blocked)}), nil
}

func yesOrNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
