package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Segment is a stretch of a text: plain text, or a hashtag or mention in it.
type Segment struct {
	Text string // as written
	Tag  string // the hashtag that it is, folded, without #, or empty
	User string // the handle that it mentions, in lower case, without @, or empty
}

// TagName returns the hashtag's name as people see it: as it was written, in NFKC.
func (p Segment) TagName() string { return norm.NFKC.String(p.Text)[len("#"):] }

// The lengths of names, in characters.
const (
	maxTagLength    = 100
	minHandleLength = 3
	maxHandleLength = 30
)

// Segments cuts s where its #hashtags and @mentions begin and end; joined, the segments are s. It finds the names that
// Hashtags and Mentions return. It takes linear time: it reads each character of s only a few times.
func Segments(s string) []Segment {
	if !strings.ContainsAny(s, "#@＃＠﹟﹫") {
		return plainSegment(s)
	}
	pieces := splitPieces(s)
	var parts []Segment
	var tags, users []string
	plain := 0 // where the plain text before the next name begins
	for i := 0; i < len(pieces); {
		part, next := Segment{}, i+1
		switch pieces[i].plain {
		case "#":
			next += tagLength(pieces[next:])
			if name := s[pieces[i].to:pieces[next-1].to]; isTagName(name) && !followsWord(pieces[:i], "&#/") {
				part.Tag = Fold(name)
			}
			if tags = addLimited(tags, &part.Tag, MaxHashtags); part.Tag == "" {
				next = i + 1
			}
		case "@":
			next += handleLength(pieces[next:])
			name := strings.ToLower(norm.NFKC.String(s[pieces[i].to:pieces[next-1].to]))
			if len(name) >= minHandleLength && len(name) <= maxHandleLength && !followsWord(pieces[:i], ".-+@/") && !precedesWord(pieces[next:], "@") {
				part.User = name
			}
			if users = addLimited(users, &part.User, MaxMentions); part.User == "" {
				next = i + 1
			}
		}
		if part.Tag != "" || part.User != "" {
			parts = append(parts, plainSegment(s[plain:pieces[i].from])...)
			plain = pieces[next-1].to
			part.Text = s[pieces[i].from:plain]
			parts = append(parts, part)
		}
		i = next
	}
	return append(parts, plainSegment(s[plain:])...)
}

func plainSegment(s string) []Segment {
	if s == "" {
		return nil
	}
	return []Segment{{Text: s}}
}

// addLimited adds a name to those found. If a text may have no more names, it empties the name instead.
func addLimited(found []string, name *string, most int) []string {
	if *name == "" || slices.Contains(found, *name) {
		return found
	}
	if len(found) == most {
		*name = ""
		return found
	}
	return append(found, *name)
}

func appendOnce(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// piece is a character with the marks on it, which readers and NFKC treat as one.
type piece struct {
	from, to int    // where it is in the text
	plain    string // its NFKC
}

func splitPieces(s string) []piece {
	pieces := make([]piece, 0, len(s))
	for from := 0; from < len(s); {
		_, size := utf8.DecodeRuneInString(s[from:])
		to := from + size
		for to < len(s) {
			r, size := utf8.DecodeRuneInString(s[to:])
			if !unicode.IsMark(r) {
				break
			}
			to += size
		}
		pieces = append(pieces, piece{from, to, norm.NFKC.String(s[from:to])})
		from = to
	}
	return pieces
}

// joiners are the characters that may stand inside a name, but not at its beginning or end. Others allow them too:
// twitter-text all of them, Mastodon the dots and U+200C, the first of the two that cannot be seen, which Persian and
// the scripts of India need.
const joiners = "\u200c\u200d·・゠〜〃\u05be\u05f3\u05f4\u0f0b\ua67e"

// tagLength returns how many of the pieces are the hashtag's name with which they begin; 0 if there is none.
func tagLength(pieces []piece) int {
	end := 0
	for i, p := range pieces {
		switch {
		case strings.IndexFunc(p.plain, notInTag) < 0:
			end = i + 1
		case end > 0 && isJoiner(p.plain):
		default:
			return end
		}
	}
	return end
}

func isJoiner(plain string) bool {
	return utf8.RuneCountInString(plain) == 1 && strings.Contains(joiners, plain)
}

func notInTag(r rune) bool { return !isWordRune(r) }

func isWordRune(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) || r == '_' }

// isTagName reports whether a hashtag may have the name: it is not digits alone, can be seen, and is not too long.
func isTagName(name string) bool {
	folded := Fold(name)
	return utf8.RuneCountInString(folded) <= maxTagLength && utf8.RuneCountInString(norm.NFKC.String(name)) <= maxTagLength &&
		strings.ContainsFunc(folded, func(r rune) bool { return unicode.In(r, unicode.L, unicode.M) || r == '_' })
}

// handleLength returns how many of the pieces are the handle with which they begin, 0 if there is none: ASCII words
// with single dots between them.
func handleLength(pieces []piece) int {
	end := 0
	for i, p := range pieces {
		switch {
		case strings.IndexFunc(p.plain, notInHandle) < 0:
			end = i + 1
		case p.plain == "." && i > 0 && end == i:
		default:
			return end
		}
	}
	return end
}

func notInHandle(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// followsWord reports whether the last of the pieces belongs to a word or is one of also.
func followsWord(pieces []piece, also string) bool {
	if len(pieces) == 0 {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(pieces[len(pieces)-1].plain)
	return isWordRune(r) || strings.ContainsRune(also, r)
}

// precedesWord reports whether the first of the pieces belongs to a word or is one of also.
func precedesWord(pieces []piece, also string) bool {
	if len(pieces) == 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(pieces[0].plain)
	return isWordRune(r) || strings.ContainsRune(also, r)
}
