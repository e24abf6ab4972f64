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

	loading sync.Mutex // held by the page that loads them; no other waits for it

	mu        sync.Mutex // guards all below
	held      *heldPosts // nil when they are to be loaded before they are used
	forgotten int        // how many times; what was read before the last time is not held
}

// heldPosts are the posts of one load, and those that were made since.
type heldPosts struct {
	complete bool  // there were no other posts
	since    place // unless complete: all posts after it are held
	loadedAt time.Time

	mu       sync.RWMutex // guards all below
	count    int
	unfit    bool // a post cannot be held: those that are tell nothing until they are loaded anew
	last     recentPost
	byAuthor map[string][]recentPost // newest first
}

// recentPost is a post's place in a feed, its author and its row.
type recentPost struct {
	row    int64
	author string
	place
}

// place is the time and the id of a post, which are compared in this order. It is not two strings, as many are compared.
type place [40]byte

const placeOfID = 24 // in a place, where the id begins: behind a time as PocketBase writes it

// placeOf returns false if the time or the id is too long, or cannot be in the list of listPosts.
func placeOf(at, id string) (p place, ok bool) {
	copy(p[:placeOfID], at)
	copy(p[placeOfID:], id)
	return p, len(at) <= placeOfID && len(id) <= len(p)-placeOfID && isPlainJSON(at) && isPlainJSON(id)
}

// isPlainJSON reports whether a text is in JSON as it is.
func isPlainJSON(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' })
}

func (p *place) at() []byte { return bytes.TrimRight(p[:placeOfID], "\x00") }

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
	r.held = nil
	r.forgotten++
}

// choose returns the newest posts of the authors, as many as are asked for, that come after the place (at, id) in the order
// of a feed: from the beginning if at is empty. It also returns whether others may follow. It chooses none where that
// would take waiting for another page, which loads them.
func (r *recentPosts) choose(app core.App, authors []string, at, id string, count int) (chosen []recentPost, more bool, err error) {
	behind, ok := placeOf(at, id)
	if !ok {
		return nil, true, nil
	}
	held, err := r.current(app)
	if err != nil || held == nil {
		return nil, true, err
	}
	held.mu.RLock()
	defer held.mu.RUnlock()
	if held.unfit {
		return nil, true, nil
	}
	chosen = make([]recentPost, 0, count+1)
	for _, author := range authors {
		posts := held.byAuthor[author]
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
	return chosen, !held.complete || len(chosen) == count, nil
}

// findPlace returns where a place is among posts, which are newest first, or would be.
func findPlace(posts []recentPost, at *place) (int, bool) {
	return slices.BinarySearchFunc(posts, at, func(p recentPost, at *place) int { return bytes.Compare(at[:], p.place[:]) })
}

// current returns the posts as they are now; nil when another page loads them and there are none to go on with.
func (r *recentPosts) current(app core.App) (*heldPosts, error) {
	for {
		held := r.snapshot()
		if (held == nil || held.isOutdated(r.most)) && r.loading.TryLock() {
			defer r.loading.Unlock()
			if r.snapshot() == held { // else another page has just loaded them
				loaded, err := r.load(app)
				if err != nil {
					return nil, fmt.Errorf("load the newest posts: %w", err)
				}
				return loaded, nil
			}
			held = r.snapshot()
		}
		if held == nil {
			return nil, nil
		}
		followed, err := held.follow(app, r.most)
		if err != nil || followed {
			return held, err
		}
		r.mu.Lock()
		if r.held == held {
			r.held = nil
		}
		r.mu.Unlock()
	}
}

func (r *recentPosts) snapshot() *heldPosts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

// isOutdated reports whether the posts are to be loaded anew, although they can be used meanwhile.
func (h *heldPosts) isOutdated(most int) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return time.Since(h.loadedAt) >= recentPostTime || h.count > 2*most
}

// follow adds the posts that were made since it was called last. It returns false when it cannot tell which these are.
func (h *heldPosts) follow(app core.App, most int) (bool, error) {
	for {
		h.mu.RLock()
		last, unfit := h.last, h.unfit
		h.mu.RUnlock()
		if unfit {
			return true, nil
		}
		added, fit, err := readRecentPosts(app, `rowid >= {:row} ORDER BY rowid`, db.Params{"row": last.row, "most": most + 2})
		switch {
		case err != nil:
			return false, fmt.Errorf("find posts after row %d: %w", last.row, err)
		case len(added) > most+1 || len(added) == 0 || added[0] != last:
			return false, nil // very many posts, or the last was deleted: a new one may have its row
		case len(added) == 1 || h.addBehind(last, added[1:], fit):
			return true, nil
		}
	}
}

// addBehind adds posts behind the last one; if another page has added posts, perhaps not all of these, it returns false.
func (h *heldPosts) addBehind(last recentPost, posts []recentPost, fit bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last != last {
		return false
	}
	if h.unfit = !fit; h.unfit {
		return true
	}
	for _, p := range posts {
		h.add(p)
		h.last = p
	}
	return true
}

// load reads the newest posts, while others use those that are held. The last row is read first: what is added meanwhile is
// found again, and known. It needs loading. It returns nil when the posts were forgotten meanwhile.
func (r *recentPosts) load(app core.App) (*heldPosts, error) {
	r.mu.Lock()
	forgotten := r.forgotten
	r.mu.Unlock()
	last, lastFits, err := readRecentPosts(app, `1 ORDER BY rowid DESC`, db.Params{"most": 1})
	if err != nil {
		return nil, err
	}
	newest, fit, err := readRecentPosts(app, `1 ORDER BY created DESC, id DESC`, db.Params{"most": r.most + 1})
	if err != nil {
		return nil, err
	}
	h := &heldPosts{byAuthor: map[string][]recentPost{}, complete: len(newest) <= r.most, unfit: !fit || !lastFits, loadedAt: time.Now()}
	if len(last) == 1 {
		h.last = last[0]
	}
	if !h.complete {
		h.since = newest[r.most].place
	}
	if !h.unfit {
		for _, p := range newest {
			h.add(p)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgotten != forgotten {
		return nil, nil
	}
	r.held = h
	return h, nil
}

func (h *heldPosts) add(p recentPost) {
	if !h.complete && !h.since.isBefore(&p.place) {
		return
	}
	posts := h.byAuthor[p.author]
	if len(posts) > 0 {
		p.author = posts[0].author // one text for all
	}
	n, known := findPlace(posts, &p.place)
	if known {
		posts[n] = p
		return
	}
	h.byAuthor[p.author] = slices.Insert(posts, n, p)
	h.count++
}

// readRecentPosts also returns whether all posts can be held.
func readRecentPosts(app core.App, where string, params db.Params) (found []recentPost, fit bool, err error) {
	var row int64
	var id, at, author string
	fit = true
	err = db.QueryEach(app, `SELECT rowid, id, created, author FROM posts WHERE `+where+` LIMIT {:most}`, params, func() {
		p, ok := placeOf(at, id)
		fit = fit && ok && isPlainJSON(author)
		found = append(found, recentPost{row, author, p})
	}, &row, &id, &at, &author)
	return found, fit, err
}

// isListedSQL is true when the row of a listed post _p has what listPosts wrote of it. Else it has another post by now, or
// the author or the time was changed behind our back.
const isListedSQL = `_p.rowid || ' ' || _p.id || ' ' || _p.created || ' ' || _p.author = _listed.value`

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
		list.WriteByte(' ')
		list.Write(p.at())
		list.WriteByte(' ')
		list.WriteString(p.author)
		list.WriteByte('"')
	}
	list.WriteByte(']')
	return list.String()
}
