// Package text finds whom and what people name when they write: @mentions and #hashtags, and says in which form words are
// compared and found.
package text

// The most names that one text may carry; further ones are plain words.
const (
	MaxMentions = 20
	MaxHashtags = 30
)

// Mentions returns the handles that s names as @handle, lower case, each once, in order. A handle inside a word or an e-mail address
// is none. Handles have a rule of their own, in which nothing but letters of ASCII is a letter: @ádá names nobody, and not @ada.
func Mentions(s string) []string {
	var handles []string
	for _, part := range Segments(s) {
		if part.User != "" {
			handles = appendOnce(handles, part.User)
		}
	}
	return handles
}

// Hashtags returns the names that s carries as #name, folded, each once, in order. A name of digits alone is none.
func Hashtags(s string) []string {
	var tags []string
	for _, part := range Segments(s) {
		if part.Tag != "" {
			tags = appendOnce(tags, part.Tag)
		}
	}
	return tags
}
