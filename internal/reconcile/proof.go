package reconcile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/words"
)

// A proof tells of a row, by its own values and by what is remembered of the tables that were read before, that it breaks
// none of the invariants of its table with Proved. What it is not sure of, their conditions are asked about. It is a
// second and cheaper way to say what they say; the test of tamperings compares the two.
//
// What is remembered is of a moment before, and others may write meanwhile. A proof may say by it that something is
// there, or what all of something is, which a write of the service leaves right. It may not compare a counter with it:
// a write in between moves a wrong one as far as a right one, so that the two could meet.
type proof struct {
	texts   []string                // expressions about a row t; a row of which one is no text is not proved
	numbers []string                // likewise of whole numbers
	isSound func(r *rowReader) bool // it also remembers the row
}

// readingOrder are tables with proofs in the order in which they are read: each after those of which it has to know.
var readingOrder = []string{"users", "follows", "hashtags", "post_tags", "search_posts", "posts", "likes", "comments", "comment_likes", "retractions", "notifications", "notification_events"}

// provenRelations are the relations of which the proofs of their tables tell.
var provenRelations = []string{
	"posts.author", "likes.post", "likes.user", "notifications.recipient", "notifications.post", "notifications.comment", "notifications.actors",
	"notification_events.notification", "notification_events.recipient", "notification_events.actor",
}

// proofs are the proofs by table.
var proofs = edgeProofs(map[string]proof{
	"users": {texts: []string{"t.id"}, isSound: func(r *rowReader) bool {
		r.memory.remember("user", r.texts[0])
		return true
	}},
	"comments": {texts: []string{"t.id", "t.post", "t.author", "t.parent"}, isSound: func(r *rowReader) bool {
		id, post, author, parent := r.texts[0], r.texts[1], r.texts[2], r.texts[3]
		r.memory.remember("comment there", id)
		r.memory.remember("comment", post, author)
		r.memory.remember("reply", parent, author)
		return true
	}},
	"post_tags": {texts: []string{"t.post", "(SELECT h.name FROM hashtags h WHERE h.id = t.tag)"}, isSound: func(r *rowReader) bool {
		r.memory.add(fingerprint(r.texts[1]), "tags", r.texts[0])
		return true
	}},
	"search_posts": {texts: []string{"t.id", "ifnull(t.words, '')"}, numbers: []string{"t.words IS NOT NULL AND EXISTS (SELECT 1 FROM search_posts_words_docsize d WHERE d.id = t.n)"}, isSound: func(r *rowReader) bool {
		if r.numbers[0] == 1 {
			r.memory.add(fingerprint(r.texts[1]), "words", r.texts[0])
		}
		return true
	}},
	"retractions": {texts: []string{"t.recipient"}, numbers: []string{"t.seq"}, isSound: func(r *rowReader) bool {
		r.memory.remember("retraction", r.texts[0], strconv.FormatInt(r.numbers[0], 10))
		return true
	}},
	"posts":               {texts: []string{"t.id", "ifnull(t.photos, '')", "ifnull(t.media, '')", "ifnull(t.alts, '')", "t.caption", "t.place", "t.author"}, isSound: isSoundPost},
	"notification_events": {texts: []string{"t.notification", "t.recipient", "t.actor", "t.type", "t.subject"}, numbers: []string{"t.active"}, isSound: isSoundEvent},
	"notifications": {texts: []string{"t.id", "t.recipient", "t.post", "t.comment", "ifnull(t.actors, '')"}, numbers: []string{"t.actorsCount", "t.seq",
		`EXISTS (SELECT 1 FROM notification_events e WHERE e.notification = t.id AND ` + rowEvent + `({:reader}, e.actor, e.created, e.active = 1, e.recipient = t.recipient, e.rowid))`}, isSound: isSoundNotification},
})

// edgeProofs adds to all the proofs of edges: that they are stored under their natural keys.
func edgeProofs(all map[string]proof) map[string]proof {
	for _, edge := range collection.All {
		if edge.Ends == nil {
			continue
		}
		table := edge.Name
		p := proof{texts: []string{"t.id"}}
		for _, end := range edge.Ends {
			p.texts = append(p.texts, "t."+end)
		}
		width := len(p.texts)
		isSound := func(*memory, []string) bool { return true } // of the ends, besides the key; it also remembers the row
		switch table {
		case "likes":
			isSound = func(m *memory, ends []string) bool {
				m.remember("like", ends...)
				return m.has("post", ends[0]) && m.has("user", ends[1])
			}
		case "comment_likes":
			isSound = func(m *memory, ends []string) bool {
				m.remember("comment_like", ends...)
				return true
			}
		case "follows":
			p.texts = append(p.texts, "t.state")
			isSound = func(m *memory, ends []string) bool {
				m.remember("follow", ends[0], ends[1])
				m.remember("follow "+ends[2], ends[0], ends[1])
				return true
			}
		}
		p.isSound = func(r *rowReader) bool {
			return isSound(r.memory, r.texts[1:]) && r.texts[0] == edgeid.IDBetween(table, r.texts[1:width]...)
		}
		all[table] = p
	}
	return all
}

func isSoundPost(r *rowReader) bool {
	m, texts := r.memory, r.texts
	id, photos, media, alts, caption, place, author := texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6]
	m.remember("post", id)
	if !m.whole["post_tags"] || !m.has("user", author) {
		return false
	}
	tags := uint64(0)
	if strings.ContainsFunc(caption, func(r rune) bool { return r == '#' || r == '＃' || r == '﹟' }) {
		for _, name := range words.Hashtags(caption) {
			tags += fingerprint(name)
		}
	}
	return m.number("tags", id) == tags && m.number("words", id) == fingerprint(search.Posts.IndexText(caption, place)) &&
		(alts == "" || alts == "null" || alts == "[]" || countTexts(alts) > 0) && isDescribed(countTexts(photos), media)
}

// isDescribed reports whether there are photos, and media is a list that tells the size and the blurhash of each.
func isDescribed(photos int, media string) bool {
	list, begins := strings.CutPrefix(media, "[{")
	list, ends := strings.CutSuffix(list, "}]")
	all := strings.Split(list, "},{")
	return begins && ends && photos > 0 && len(all) == photos && !slices.ContainsFunc(all, func(one string) bool { return !isPhotoWhole(one) })
}

// isPhotoWhole reports whether a text is what a rendition.Meta is in JSON between its braces, with a size and a blurhash.
func isPhotoWhole(text string) bool {
	width, text, hasHeight := strings.Cut(text, `,"h":`)
	height, text, hasHash := strings.Cut(text, `,"hash":"`)
	hash, color, hasColor := strings.Cut(text, `","color":"`)
	width, hasWidth := strings.CutPrefix(width, `"w":`)
	color, ends := strings.CutSuffix(color, `"`)
	return hasWidth && hasHeight && hasHash && hasColor && ends && isPositive(width) && isPositive(height) && hash != "" && isPlain(hash) && isPlain(color)
}

// isPositive reports whether a text is a whole number above 0 in JSON.
func isPositive(text string) bool {
	return text != "" && text[0] != '0' && strings.Trim(text, "0123456789") == ""
}

// countTexts returns how many texts a JSON list has that needs no decoding, and 0 for any other.
func countTexts(list string) int {
	text, begins := strings.CutPrefix(list, `["`)
	text, ends := strings.CutSuffix(text, `"]`)
	more := strings.Count(text, `","`)
	if !begins || !ends || strings.Count(text, `"`) != 2*more || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '\\' || r == '\ufffd' }) {
		return 0
	}
	return 1 + more
}

// isPlain reports whether a text is the same in JSON.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

func isSoundEvent(r *rowReader) bool {
	m := r.memory
	notification, recipient, actor, kind, subject, active := r.texts[0], r.texts[1], r.texts[2], r.texts[3], r.texts[4], r.numbers[0]
	if !m.has("user", recipient) || !m.has("user", actor) || notification != "" && !m.has("notification", notification) {
		return false
	}
	switch {
	case active == 0:
		return true
	case active != 1 || actor == recipient:
		return false
	}
	switch kind {
	case "like", "comment_like", "comment", "reply":
		return m.has(kind, subject, actor)
	case "mention":
		return m.has("comment", subject, actor)
	case "follow":
		return m.has("follow", actor, recipient)
	case "follow_request":
		return m.has("follow pending", actor, recipient)
	case "follow_accepted":
		return m.has("follow accepted", recipient, actor)
	}
	return false
}

func isSoundNotification(r *rowReader) bool {
	m, events := r.memory, &r.events
	id, recipient, post, comment, actors, count, seq := r.texts[0], r.texts[1], r.texts[2], r.texts[3], r.texts[4], r.numbers[0], r.numbers[1]
	m.remember("notification", id)
	if !m.has("user", recipient) || post != "" && !m.has("post", post) || comment != "" && !m.has("comment there", comment) ||
		!m.whole["retractions"] || seq <= 0 || m.has("retraction", recipient, strconv.FormatInt(seq, 10)) ||
		events.areUnclear || events.count == 0 || count != events.count {
		return false
	}
	list := append(r.list[:0], '[')
	for i := range min(count, namedActors) {
		name := events.newest[(count-1-i)%namedActors]
		if !m.has("user", string(name)) || !isPlain(string(name)) {
			return false
		}
		list = append(append(append(list, '"'), name...), '"', ',')
	}
	list[len(list)-1] = ']'
	r.list = list
	return actors == string(list)
}
