// Package search finds posts, people and hashtags by the words in them. It finds only what the caller may see: the
// collection's list rule decides, as in a list of the collection.
package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
	"github.com/doubletap/doubletap/internal/visibility"
)

// Kind is one kind of things that can be found.
type Kind struct {
	Collection     string
	Columns        []string // the columns whose words are found
	extraRule      string   // what a row must meet besides the list rule, in the rule language
	rankColumn     string   // the column that says how well known a row is; empty if the kind has none
	exactCondition string   // the SQL condition of a row t whose name is {:name}
}

// The kinds. Posts come newest first. Of people and hashtags the first page has the one with exactly the name that was
// typed, then the best known; the pages after it have the others, newest first.
var (
	Posts = Kind{Collection: "posts", Columns: []string{"caption", "place"}}
	Users = Kind{Collection: "users", Columns: []string{"handle", "name"}, extraRule: `blocked(@request.auth.id, id) = false`, rankColumn: "followersCount",
		exactCondition: `t.handle = {:name} COLLATE NOCASE AND t.handle != ''`}
	Tags = Kind{Collection: "hashtags", Columns: []string{"name"}, rankColumn: "postsCount", exactCondition: `t.name = {:name}`}
)

// How much one query may cost: how many rows with the words are checked against the rule in all, and how many at a
// time.
const (
	maxHits   = 2000
	chunkSize = 200
)

// ErrCursor says that a cursor is not one that a search has returned.
var ErrCursor = errors.New("no cursor of a search")

// ResultPage is what was found. Next is the cursor of the next page, empty after the last. A page that is not the last
// may have fewer records than asked for, when the caller may not see many of the rows that have the words.
type ResultPage struct {
	Records []*core.Record
	Next    string
}

// FindPage returns a page of at most limit records of the kind that have every word of q and that the caller of info
// may see. It begins at cursor, the Next of the page before; rows that are added or deleted in between do not move the
// others. The error is ErrCursor if the cursor is not valid.
func FindPage(app core.App, info *core.RequestInfo, kind Kind, q, cursor string, limit int) (ResultPage, error) {
	at, err := parseCursor(cursor)
	if err != nil {
		return ResultPage{}, err
	}
	s := &searchQuery{app: app, info: info, kind: kind, words: matchExpression(q), limit: limit}
	if s.words == "" {
		return ResultPage{}, nil
	}
	if kind.rankColumn != "" && cursor == "" {
		return s.bestKnownPage(exactName(q))
	}
	return s.newestPage(at)
}

// searchQuery is one query of one caller.
type searchQuery struct {
	app   core.App
	info  *core.RequestInfo
	kind  Kind
	words string
	limit int
}

// hit is a row that has the words, by its place in the index.
type hit struct {
	N  int64  `db:"n"`
	ID string `db:"id"`
}

// bestKnownPage is the first page of a kind whose best known rows come first, of the oldest ones where more than most fit: to rank all would cost
// in proportion to how many there are.
func (s *searchQuery) bestKnownPage(name string) (ResultPage, error) {
	var exact, known []hit
	err := s.findHits(&exact, `SELECT s.n, s.id FROM @table t JOIN search_@table s ON s.id = t.id WHERE `+s.kind.exactCondition, db.Params{"name": name})
	if err != nil {
		return ResultPage{}, err
	}
	err = s.findHits(&known, `SELECT s.n, s.id FROM (SELECT rowid n FROM search_@table_words WHERE search_@table_words MATCH {:words} ORDER BY rowid LIMIT {:most}) w
		CROSS JOIN search_@table s ON s.n = w.n CROSS JOIN @table t ON t.id = s.id ORDER BY t.`+s.kind.rankColumn+` DESC, s.n`,
		db.Params{"words": s.words, "most": maxHits})
	if err != nil {
		return ResultPage{}, err
	}
	all := exact
	for _, h := range known {
		if !slices.Contains(exact, h) {
			all = append(all, h)
		}
	}
	var page ResultPage
	shown := cursor{}
	for part := range slices.Chunk(all, chunkSize) {
		records, err := s.visibleRecords(part)
		if err != nil {
			return ResultPage{}, err
		}
		for _, h := range part {
			record, ok := records[h.ID]
			if ok && len(page.Records) == s.limit {
				page.Next = shown.String()
				return page, nil
			}
			if ok {
				page.Records = append(page.Records, record)
				shown.shown = append(shown.shown, h.N)
			}
		}
	}
	if len(known) == maxHits {
		page.Next = shown.String()
	}
	return page, nil
}

// newestPage returns a page of the rows that have the words, newest first, without those that the cursor says were
// shown already.
func (s *searchQuery) newestPage(at cursor) (ResultPage, error) {
	var page ResultPage
	for checked, size := 0, s.limit+1; checked < maxHits; size = min(2*size, chunkSize) {
		var hits []hit
		err := s.findHits(&hits, `SELECT s.n, s.id FROM (SELECT rowid n FROM search_@table_words WHERE search_@table_words MATCH {:words} AND rowid < {:before} ORDER BY rowid DESC LIMIT {:size}) w
			CROSS JOIN search_@table s ON s.n = w.n ORDER BY s.n DESC`, db.Params{"words": s.words, "before": at.before, "size": size})
		if err != nil {
			return ResultPage{}, err
		}
		records, err := s.visibleRecords(hits)
		if err != nil {
			return ResultPage{}, err
		}
		for _, h := range hits {
			record, ok := records[h.ID]
			if ok && !slices.Contains(at.shown, h.N) {
				if len(page.Records) == s.limit {
					page.Next = at.String()
					return page, nil
				}
				page.Records = append(page.Records, record)
			}
			at.before = h.N
		}
		if len(hits) < size {
			return page, nil
		}
		checked += size
	}
	page.Next = at.String()
	return page, nil
}

func (s *searchQuery) findHits(hits *[]hit, statement string, params db.Params) error {
	if err := db.QueryAll(s.app, hits, strings.ReplaceAll(statement, "@table", s.kind.Collection), params); err != nil {
		return fmt.Errorf("search %s: %w", s.kind.Collection, err)
	}
	return nil
}

// visibleRecords returns those of the hits' records that the caller may see, by their ids.
func (s *searchQuery) visibleRecords(hits []hit) (map[string]*core.Record, error) {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	collection, err := s.app.FindCachedCollectionByNameOrId(s.kind.Collection)
	if err != nil {
		return nil, fmt.Errorf("find collection %s: %w", s.kind.Collection, err)
	}
	records, err := s.app.FindRecordsByIds(collection, ids, func(q *dbx.SelectQuery) error {
		err := visibility.Restrict(s.app, q, collection, collection.ListRule, s.info)
		if err != nil || s.kind.extraRule == "" {
			return err
		}
		return visibility.Restrict(s.app, q, collection, &s.kind.extraRule, s.info)
	})
	if err != nil {
		return nil, fmt.Errorf("hold %s against their rule: %w", s.kind.Collection, err)
	}
	visible := make(map[string]*core.Record, len(records))
	for _, record := range records {
		visible[record.Id] = record
	}
	return visible, nil
}
