// Package phrases holds the product's texts in each of its languages.
package phrases

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// languages are those that have a file here. The first one is for everybody else.
var languages = []language.Tag{language.English, language.German}

var (
	matcher = language.NewMatcher(languages)
	texts   = loadTexts()
)

// PreferredLocale returns the language that a browser's Accept-Language header names first, or "".
func PreferredLocale(accepted string) string {
	tags, _, err := language.ParseAcceptLanguage(accepted[:min(len(accepted), maxHeaderBytes)])
	if err != nil || len(tags) == 0 {
		return ""
	}
	locale := tags[0].String()
	if len(locale) > maxLocaleLength || tags[0] == language.Und || locale == "mul" { // the browser takes any language
		return ""
	}
	return locale
}

const (
	maxHeaderBytes  = 200 // of an Accept-Language header
	maxLocaleLength = 35  // bytes of settings.locale
)

// Words is the texts in one language.
type Words struct {
	Language string // such as "en"
	texts    map[string]string
}

// WordsFor returns the texts for a locale such as "de-AT", in English when there are none in its language.
func WordsFor(locale string) Words {
	tag, err := language.Parse(locale)
	if err != nil {
		tag = languages[0]
	}
	_, i, _ := matcher.Match(tag)
	return texts[i]
}

// Translate returns the text of the key. values are pairs of a place, such as app for {app}, and what replaces it.
func (w Words) Translate(key string, values ...string) string {
	places := make([]string, 0, len(values))
	for i, v := range values {
		if i%2 == 0 {
			places = append(places, "{"+v+"}")
		} else {
			places = append(places, SingleLine(v))
		}
	}
	return strings.NewReplacer(places...).Replace(w.texts[key])
}

// Sentence returns what a notification of the type says. actors are the names of its newest actors, of count in all.
func (w Words) Sentence(kind string, actors []string, count int, app string) string {
	if _, plain := w.texts[kind+".0"]; plain || w.texts[kind+".1"] == "" {
		if !plain {
			kind = "other"
		}
		return w.Translate(kind+".0", "app", app)
	}
	name := func(i int) string {
		if i < len(actors) && actors[i] != "" {
			return actors[i]
		}
		return w.texts["someone"]
	}
	switch {
	case count <= 1:
		return w.Translate(kind+".1", "actor", name(0))
	case count == 2:
		return w.Translate(kind+".2", "actor", name(0), "other", name(1))
	}
	return w.Translate(kind+".n", "actor", name(0), "rest", strconv.Itoa(count-1))
}

// Duration returns how long d is, in whole days, hours or minutes, rounded down.
func (w Words) Duration(d time.Duration) string {
	unit, n := "minute", d/time.Minute
	switch day := 24 * time.Hour; {
	case d >= 2*day || d == day:
		unit, n = "day", d/day
	case d >= 2*time.Hour || d == time.Hour:
		unit, n = "hour", d/time.Hour
	}
	if n == 1 {
		return w.Translate("duration." + unit + ".1")
	}
	return w.Translate("duration."+unit+".n", "n", strconv.Itoa(int(n)))
}

// WithoutLinks keeps mail programs from turning names that people chose into links: @www.example.com is a handle. What
// it adds is invisible.
func WithoutLinks(text string) string {
	return strings.NewReplacer(".", ".\u200b", "://", ":\u200b//").Replace(text)
}

// SingleLine makes one line of what people wrote, so that a name cannot end a header or pretend to be a sentence of
// ours.
func SingleLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

// ShortLine makes one line of text and cuts it to n characters.
func ShortLine(text string, n int) string {
	runes := []rune(SingleLine(text))
	if len(runes) <= n {
		return string(runes)
	}
	return strings.TrimSpace(string(runes[:n-1])) + "…"
}

func loadTexts() []Words {
	all := make([]Words, len(languages))
	for i, tag := range languages {
		all[i].Language = tag.String()
		text, err := files.ReadFile(tag.String() + ".json")
		if err == nil {
			err = json.Unmarshal(text, &all[i].texts)
		}
		if err != nil {
			panic(fmt.Errorf("read the words in %s: %w", tag, err)) // the files are part of the program
		}
	}
	return all
}
