package reconcile

import (
	"encoding/json/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/collection"
	"github.com/doubletap/doubletap/internal/edgeid"
	"github.com/doubletap/doubletap/internal/search"
	"github.com/doubletap/doubletap/internal/words"
)

// A proof tells of a row, by its own values and by what is remembered of the tables that were read before, that it breaks
// none of the invariants of its table with Proved. What it is not sure of, their conditions are asked about. It is a
// second and cheaper way to say what they say; the test of tamperings compares the two.
type proof struct {
	columns []string // expressions about a row t
	// isSound is given the values as texts, NULL as an empty one. It also remembers the row.
	isSound func(m *memory, row []string) bool
}

// readingOrder are tables with proofs in the order in which they are read: each after those of which it has to know.
var readingOrder = []string{"users", "follows", "likes", "comment_likes", "comments", "hashtags", "post_tags", "search_posts", "retractions", "posts", "notification_events", "notifications"}

// proofs are the proofs by table.
var proofs = edgeProofs(map[string]proof{
	"users": {[]string{"t.id"}, func(m *memory, row []string) bool {
		m.remember("user", row[0])
		return true
	}},
	"comments": {[]string{"t.post", "t.author", "t.parent"}, func(m *memory, row []string) bool {
		m.add(1, "comments", row[0])
		m.remember("comment", row[0], row[1])
		m.remember("reply", row[2], row[1])
		return true
	}},
	"post_tags": {[]string{"t.post", "(SELECT h.name FROM hashtags h WHERE h.id = t.tag)"}, func(m *memory, row []string) bool {
		m.add(fingerprint("tag", row[1]), "tags", row[0])
		return true
	}},
	"search_posts": {[]string{"t.id", "t.words", "t.words IS NOT NULL AND EXISTS (SELECT 1 FROM search_posts_words_docsize d WHERE d.id = t.n)"}, func(m *memory, row []string) bool {
		if row[2] == "1" {
			m.add(fingerprint("words", row[1]), "words", row[0])
		}
		return true
	}},
	"retractions": {[]string{"t.recipient", "t.seq"}, func(m *memory, row []string) bool {
		m.remember("retraction", row[0], row[1])
		return true
	}},
	"posts":               {[]string{"t.id", "t.photos", "t.media", "t.alts", withoutSeparators("t.caption"), withoutSeparators("t.place"), "t.likesCount", "t.commentsCount"}, isSoundPost},
	"notification_events": {[]string{"t.notification", "t.recipient", "t.actor", "t.type", "t.subject", "t.active", "t.created"}, isSoundEvent},
	"notifications":       {[]string{"t.id", "t.recipient", "t.actors", "t.actorsCount", "t.seq"}, isSoundNotification},
})

// edgeProofs adds to all the proofs of edges: that they are stored under their natural keys.
func edgeProofs(all map[string]proof) map[string]proof {
	for _, edge := range collection.All {
		if edge.Ends == nil {
			continue
		}
		table, columns := edge.Name, []string{"t.id"}
		for _, end := range edge.Ends {
			columns = append(columns, "t."+end)
		}
		p := proof{columns, func(_ *memory, row []string) bool { return row[0] == edgeid.IDBetween(table, row[1:len(columns)]...) }}
		isKey := p.isSound
		switch table {
		case "likes":
			p.isSound = func(m *memory, row []string) bool {
				m.add(1, "likes", row[1])
				m.remember("like", row[1], row[2])
				return isKey(m, row)
			}
		case "comment_likes":
			p.isSound = func(m *memory, row []string) bool {
				m.remember("comment_like", row[1], row[2])
				return isKey(m, row)
			}
		case "follows":
			p.columns = append(p.columns, "t.state")
			p.isSound = func(m *memory, row []string) bool {
				m.remember("follow", row[1], row[2])
				m.remember("follow "+row[3], row[1], row[2])
				return isKey(m, row)
			}
		}
		all[table] = p
	}
	return all
}

func isSoundPost(m *memory, row []string) bool {
	id, photos, media, alts, caption, place, likes, comments := row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]
	if !m.whole["likes"] || !m.whole["comments"] || !m.whole["post_tags"] {
		return false
	}
	tags := uint64(0)
	if strings.ContainsAny(caption, "#＃﹟") {
		for _, name := range words.Hashtags(caption) {
			tags += fingerprint("tag", name)
		}
	}
	return likes == strconv.FormatUint(m.number("likes", id), 10) && comments == strconv.FormatUint(m.number("comments", id), 10) &&
		m.number("tags", id) == tags && m.number("words", id) == fingerprint("words", search.Posts.IndexText(caption, place)) &&
		(alts == "" || alts == "null" || alts == "[]" || len(textsOf(alts)) > 0) && isDescribed(textsOf(photos), media)
}

// describedPhoto is what is known of a photo.
type describedPhoto struct {
	Width  float64 `json:"w"`
	Height float64 `json:"h"`
	Hash   string  `json:"hash"`
	Color  string  `json:"color"`
}

func (p describedPhoto) isWhole() bool { return p.Width > 0 && p.Height > 0 && p.Hash != "" }

// isDescribed reports whether there are photos, and media is a list that tells the size and the blurhash of each.
func isDescribed(photos []string, media string) bool {
	var all []describedPhoto
	if len(photos) == 0 || json.Unmarshal([]byte(media), &all, json.RejectUnknownMembers(true)) != nil || len(all) != len(photos) {
		return false
	}
	return !slices.ContainsFunc(all, func(p describedPhoto) bool { return !p.isWhole() })
}

// textsOf returns the texts of a JSON list, or nil if it is none or has none. Nearly every list has one that needs no
// decoding.
func textsOf(list string) (texts []string) {
	text, begins := strings.CutPrefix(list, `["`)
	text, ends := strings.CutSuffix(text, `"]`)
	if begins && ends && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == '\ufffd' }) {
		return []string{text}
	}
	var all []*string
	if json.Unmarshal([]byte(list), &all) != nil || slices.Contains(all, nil) {
		return nil
	}
	for _, text := range all {
		texts = append(texts, *text)
	}
	return texts
}

func isSoundEvent(m *memory, row []string) bool {
	notification, recipient, actor, kind, subject, active, created := row[0], row[1], row[2], row[3], row[4], row[5], row[6]
	if notification != "" {
		m.addEvent(notification, recipient, actor, active, created)
	}
	switch {
	case active == "0":
		return true
	case active != "1" || actor == recipient:
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

// addEvent remembers an event of a notification.
func (m *memory) addEvent(notification, recipient, actor, active, created string) {
	key := fingerprint("notification", notification)
	t, known := m.trays[key]
	if !known {
		if m.room -= trayRoom - 1; !m.hasRoom() {
			return
		}
		t.recipient = fingerprint("user", recipient)
	}
	if t.recipient != fingerprint("user", recipient) {
		t.unclear = true
	}
	if active != "0" {
		at := momentNumber(created)
		t.unclear = t.unclear || at < t.last || at == 0
		t.last = at
		t.newest[t.active%namedActors] = uint32(fingerprint("user", actor)) //nolint:gosec // half of it is enough
		t.active++
	}
	m.trays[key] = t
}

func isSoundNotification(m *memory, row []string) bool {
	id, recipient, actors, count, seq := row[0], row[1], row[2], row[3], row[4]
	t := m.trays[fingerprint("notification", id)]
	names := textsOf(actors)
	place, err := strconv.Atoi(seq)
	if !m.whole["notification_events"] || !m.whole["retractions"] || t.unclear || t.active == 0 || t.recipient != fingerprint("user", recipient) ||
		count != strconv.Itoa(t.active) || len(names) != min(t.active, namedActors) ||
		err != nil || place <= 0 || m.has("retraction", recipient, seq) {
		return false
	}
	for i, name := range names {
		if t.newest[(t.active-1-i)%namedActors] != uint32(fingerprint("user", name)) || !m.has("user", name) { //nolint:gosec // half of it is stored
			return false
		}
	}
	return true
}

// momentNumber returns a number for a moment as it is stored, of which a later one has a greater, or 0 if it is none.
func momentNumber(moment string) int64 {
	at, err := clock.ParseTime(moment)
	if err != nil {
		return 0
	}
	return at.UnixMilli()
}
