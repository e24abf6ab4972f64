package listing

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/db"
)

// recentPosts has the times and ids of the newest posts of all, by author, so that a page of the feed needs no look into
// an index for each author. It follows the database, whoever writes there: before each use it asks for rows behind the
// last one that it knows. It says which posts may come next; whether the viewer is shown them is asked of the database.
type recentPosts struct {
	most int // that are loaded; twice as many are held before they are loaded anew

	mu       sync.Mutex
	held     int
	complete bool  // there are no other posts
	since    place // unless complete: all posts after it are held
	last     recentPost
	loadedAt time.Time
	byAuthor map[string][]recentPost // newest first
}

// recentPost is a post's place in a feed, and its row.
type recentPost struct {
	row int64
	place
}

// place is the time and the id of a post, which are compared in this order. It is not two strings, as many are compared.
type place [40]byte

const placeOfID = 24 // in a place, where the id begins: behind a time as PocketBase writes it

// placeOf returns false if the time or the id is too long.
func placeOf(at, id string) (p place, ok bool) {
	copy(p[:placeOfID], at)
	copy(p[placeOfID:], id)
	return p, len(at) <= placeOfID && len(id) <= len(p)-placeOfID
}

// endOfPlaces is behind all places.
var endOfPlaces = place(bytes.Repeat([]byte{0xff}, len(place{})))

func (p *place) id() []byte { return bytes.TrimRight(p[placeOfID:], "\x00") }

func (p *place) isBefore(q *place) bool { return bytes.Compare(p[:], q[:]) < 0 }

const (
	recentPostCount = 20_000      // a few megabytes
	recentPostTime  = time.Minute // after which they are loaded anew, for what was changed behind our back
)

// forget has the posts loaded anew, as the author or the time of one was changed.
func (r *recentPosts) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loadedAt = time.Time{}
}

// choose returns the newest posts of the authors, as many as are asked for, that come after the place (at, id) in the order
// of a feed: from the beginning if at is empty. It also returns whether others may follow.
func (r *recentPosts) choose(app core.App, authors []string, at, id string, count int) (chosen []recentPost, more bool, err error) {
	behind, ok := placeOf(at, id)
	if !ok {
		return nil, true, nil
	}
	if err := r.follow(app); err != nil {
		return nil, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	chosen = make([]recentPost, 0, count+1)
	for _, author := range authors {
		posts := r.byAuthor[author]
		if at != "" {
			n, isPost := findPlace(posts, &behind)
			if posts = posts[n:]; isPost {
				posts = posts[1:]
			}
		}
		for i := range posts {
			if len(chosen) == count && posts[i].isBefore(&chosen[count-1].place) {
				break
			}
			n, _ := findPlace(chosen, &posts[i].place)
			chosen = slices.Insert(chosen, n, posts[i])
			chosen = chosen[:min(len(chosen), count)]
		}
	}
	return chosen, !r.complete || len(chosen) == count, nil
}

// findPlace returns where a place is among posts, which are newest first, or would be.
func findPlace(posts []recentPost, at *place) (int, bool) {
	return slices.BinarySearchFunc(posts, at, func(p recentPost, at *place) int { return bytes.Compare(at[:], p.place[:]) })
}

// follow adds the posts that were made since it was called last.
func (r *recentPosts) follow(app core.App) error {
	for {
		r.mu.Lock()
		last, loaded := r.last, time.Since(r.loadedAt) < recentPostTime && r.held <= 2*r.most
		if !loaded {
			err := r.load(app)
			r.mu.Unlock()
			if err != nil {
				return fmt.Errorf("load the newest posts: %w", err)
			}
			return nil
		}
		r.mu.Unlock()
		added, err := readRecentPosts(app, `rowid >= {:row} ORDER BY rowid`, db.Params{"row": last.row, "most": r.most + 2})
		if err != nil {
			return fmt.Errorf("find posts after row %d: %w", last.row, err)
		}
		r.mu.Lock()
		switch {
		case r.last != last: // another page has added posts, perhaps not all of ours
		case !added.fit || len(added.posts) > r.most || len(added.posts) == 0 || added.posts[0] != last:
			r.loadedAt = time.Time{} // very many posts, or the last was deleted: a new one may have its row
		default:
			for i, p := range added.posts[1:] {
				r.add(added.authors[i+1], p)
				r.last = p
			}
			r.mu.Unlock()
			return nil
		}
		r.mu.Unlock()
	}
}

// load reads the newest posts. The last row is read first: what is added meanwhile is found again, and known.
func (r *recentPosts) load(app core.App) error {
	last, err := readRecentPosts(app, `1 ORDER BY rowid DESC`, db.Params{"most": 1})
	if err != nil {
		return err
	}
	newest, err := readRecentPosts(app, `1 ORDER BY created DESC, id DESC`, db.Params{"most": r.most + 1})
	if err != nil {
		return err
	}
	r.byAuthor, r.held, r.since, r.last = map[string][]recentPost{}, 0, place{}, recentPost{}
	if len(last.posts) == 1 {
		r.last = last.posts[0]
	}
	if r.complete = len(newest.posts) <= r.most; !r.complete {
		r.since = newest.posts[r.most].place
	}
	if !newest.fit {
		r.complete, r.since = false, endOfPlaces
	}
	for i, p := range newest.posts {
		r.add(newest.authors[i], p)
	}
	r.loadedAt = time.Now()
	return nil
}

func (r *recentPosts) add(author string, p recentPost) {
	if !r.complete && !r.since.isBefore(&p.place) {
		return
	}
	posts := r.byAuthor[author]
	n, known := findPlace(posts, &p.place)
	if known {
		posts[n] = p
		return
	}
	r.byAuthor[author] = slices.Insert(posts, n, p)
	r.held++
}

type postsWithAuthors struct {
	posts   []recentPost
	authors []string
	fit     bool // their places do
}

func readRecentPosts(app core.App, where string, params db.Params) (found postsWithAuthors, err error) {
	var row int64
	var id, at, author string
	found.fit = true
	err = db.QueryEach(app, `SELECT rowid, id, created, author FROM posts WHERE `+where+` LIMIT {:most}`, params, func() {
		p, ok := placeOf(at, id)
		found.fit = found.fit && ok
		found.posts, found.authors = append(found.posts, recentPost{row, p}), append(found.authors, author)
	}, &row, &id, &at, &author)
	return found, err
}

// listedPostSQL is what listPosts writes of a post _p. A row that has another post by now is not meant.
const listedPostSQL = `_p.rowid || ' ' || _p.id`

// listPosts returns posts as a JSON list, for listedSQL.
func listPosts(posts []recentPost) string {
	var list strings.Builder
	list.WriteByte('[')
	for i, p := range posts {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteByte('"')
		list.WriteString(strconv.FormatInt(p.row, 10))
		list.WriteByte(' ')
		list.Write(p.id())
		list.WriteByte('"')
	}
	list.WriteByte(']')
	return list.String()
}
