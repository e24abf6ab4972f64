package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Part is a stretch of a text: plain words, or a name in them.
type Part struct {
	Text string // as written
	Tag  string // the hashtag it names, folded, without #, or empty
	User string // the handle it names, lower case, without @, or empty
}

// TagName returns the name of the hashtag as people see it: as it was written, in NFKC.
func (p Part) TagName() string { return norm.NFKC.String(p.Text)[len("#"):] }

// The longest names, in characters.
const (
	longestTag     = 100
	shortestHandle = 3
	longestHandle  = 30
)

// Parts cuts s where its #hashtags and @mentions begin and end; together the parts are s. What it finds is what Hashtags and
// Mentions return. It looks at no character of s more than a few times.
func Parts(s string) []Part {
	if !strings.ContainsAny(s, "#@＃＠﹟﹫") {
		return whole(s)
	}
	pieces := cut(s)
	var parts []Part
	var tags, users []string
	plain := 0 // where the words before the next name begin
	for i := 0; i < len(pieces); {
		part, next := Part{}, i+1
		switch pieces[i].plain {
		case "#":
			next += tagLength(pieces[next:])
			if name := s[pieces[i].to:pieces[next-1].to]; isTag(name) && !follows(pieces[:i], "&#/") {
				part.Tag = Fold(name)
			}
			if tags = within(tags, &part.Tag, MaxHashtags); part.Tag == "" {
				next = i + 1
			}
		case "@":
			next += handleLength(pieces[next:])
			name := strings.ToLower(norm.NFKC.String(s[pieces[i].to:pieces[next-1].to]))
			if len(name) >= shortestHandle && len(name) <= longestHandle && !follows(pieces[:i], ".-+@/") && !precedes(pieces[next:], "@") {
				part.User = name
			}
			if users = within(users, &part.User, MaxMentions); part.User == "" {
				next = i + 1
			}
		}
		if part.Tag != "" || part.User != "" {
			parts = append(parts, whole(s[plain:pieces[i].from])...)
			plain = pieces[next-1].to
			part.Text = s[pieces[i].from:plain]
			parts = append(parts, part)
		}
		i = next
	}
	return append(parts, whole(s[plain:])...)
}

func whole(s string) []Part {
	if s == "" {
		return nil
	}
	return []Part{{Text: s}}
}

// within adds a name to those found, or empties it when they are as many as a text may carry.
func within(found []string, name *string, most int) []string {
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

// piece is a character with the marks on it: what is one for a reader, and for NFKC.
type piece struct {
	from, to int    // where it is in the text
	plain    string // its NFKC
}

func cut(s string) []piece {
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

// joiners are what stands inside a name and neither begins nor ends it, as others have it: twitter-text all of them, Mastodon the dots
// and the first of the two that cannot be seen, which Persian and the scripts of India need.
const joiners = "\u200c\u200d·・゠〜〃\u05be\u05f3\u05f4\u0f0b\ua67e"

// tagLength is the number of pieces of the hashtag's name that pieces begin with.
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

func notInTag(r rune) bool { return !isWord(r) }

func isWord(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.Nd) || r == '_' }

// isTag reports whether a name can be that of a hashtag: no digits alone, nothing that cannot be seen, and not too long.
func isTag(name string) bool {
	folded := Fold(name)
	return utf8.RuneCountInString(folded) <= longestTag && utf8.RuneCountInString(norm.NFKC.String(name)) <= longestTag &&
		strings.ContainsFunc(folded, func(r rune) bool { return unicode.In(r, unicode.L, unicode.M) || r == '_' })
}

// handleLength is the number of pieces of the handle that pieces begin with: words of ASCII with a dot between two of them.
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

// follows reports whether what comes after the pieces is in a word, or behind one of also.
func follows(pieces []piece, also string) bool {
	if len(pieces) == 0 {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(pieces[len(pieces)-1].plain)
	return isWord(r) || strings.ContainsRune(also, r)
}

// precedes reports whether what comes before the pieces is in a word, or before one of also.
func precedes(pieces []piece, also string) bool {
	if len(pieces) == 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(pieces[0].plain)
	return isWord(r) || strings.ContainsRune(also, r)
}
