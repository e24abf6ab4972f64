// Package words finds the @mentions and #hashtags in what people write, and defines the form in which words are compared
// and found.
package words

// The most names that one text may have; further ones are plain text.
const (
	MaxMentions = 20
	MaxHashtags = 30
)

// Mentions returns the handles that s names as @handle, in lower case, each once, in order. An @ inside a word or an
// e-mail address does not begin a mention. Handles are not folded: only ASCII letters are letters, so @ádá mentions
// nobody, not @ada.
func Mentions(s string) []string {
	var handles []string
	for _, part := range Segments(s) {
		if part.User != "" {
			handles = appendOnce(handles, part.User)
		}
	}
	return handles
}

// Hashtags returns the hashtags in s, folded, without #, each once, in order. A name of digits alone is not a hashtag.
func Hashtags(s string) []string {
	var tags []string
	for _, part := range Segments(s) {
		if part.Tag != "" {
			tags = appendOnce(tags, part.Tag)
		}
	}
	return tags
}
