package listing

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// valueAppender appends a stored value to JSON as PocketBase would write it.
type valueAppender func(out []byte, stored string) []byte

// appenderOf returns the appender of a field's values, or false for an unknown type of field. Nearly all values are
// written as they are stored; one that is not in the canonical form goes through the field itself.
func appenderOf(field core.Field) (valueAppender, bool) {
	general := fieldAppender(field)
	either := func(isCanonical func(string) bool, quick valueAppender) valueAppender {
		return func(out []byte, stored string) []byte {
			if isCanonical(stored) {
				return quick(out, stored)
			}
			return general(out, stored)
		}
	}
	several := either(isCanonicalList, appendRaw)
	single := either(isSingleChoice, appendQuoted)
	choose := func(multiple bool) valueAppender {
		if multiple {
			return several
		}
		return single
	}
	switch f := field.(type) {
	case *core.TextField, *core.EditorField, *core.EmailField, *core.URLField:
		return appendQuoted, true
	case *core.BoolField:
		return either(isCanonicalBool, appendBool), true
	case *core.NumberField:
		return either(isCanonicalNumber, appendRaw), true
	case *core.DateField, *core.AutodateField:
		return either(isCanonicalDate, appendQuoted), true
	case *core.SelectField:
		return choose(f.IsMultiple()), true
	case *core.RelationField:
		return choose(f.IsMultiple()), true
	case *core.FileField:
		return choose(f.IsMultiple()), true
	case *core.JSONField:
		return either(isCanonicalJSON, appendRaw), true
	case *core.GeoPointField:
		return either(isCanonicalPoint, appendRaw), true
	}
	return nil, false
}

func appendRaw(out []byte, stored string) []byte { return append(out, stored...) }

func appendQuoted(out []byte, stored string) []byte {
	out, _ = jsontext.AppendQuote(out, stored) // invalid UTF-8 is replaced, as PocketBase does
	return out
}

func appendBool(out []byte, stored string) []byte {
	if stored == "1" {
		return append(out, "true"...)
	}
	return append(out, "false"...)
}

// fieldAppender writes a value as PocketBase does, through the field. It appends brokenMark when that fails.
func fieldAppender(field core.Field) valueAppender {
	return func(out []byte, stored string) []byte {
		value, err := field.PrepareValue(nil, stored)
		if err != nil {
			return append(out, brokenMark)
		}
		text, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return append(out, brokenMark)
		}
		return append(out, text...)
	}
}

func isCanonicalBool(stored string) bool { return stored == "0" || stored == "1" }

// isCanonicalNumber reports whether the text is a whole number of at most 15 digits, which a float64 holds exactly.
func isCanonicalNumber(stored string) bool {
	digits := strings.TrimPrefix(stored, "-")
	if digits == "" || len(digits) > 15 || digits[0] == '0' && stored != "0" {
		return false
	}
	return !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

// isCanonicalDate reports whether the text is empty or a time in the layout that PocketBase stores.
func isCanonicalDate(stored string) bool {
	if stored == "" {
		return true
	}
	const layout = "0000-00-00 00:00:00.000Z"
	if len(stored) != len(layout) {
		return false
	}
	for i := range len(layout) {
		if c := stored[i]; layout[i] == '0' && (c < '0' || c > '9') || layout[i] != '0' && c != layout[i] {
			return false
		}
	}
	month, day := stored[5:7], stored[8:10]
	return stored[0] != '0' && month >= "01" && month <= "12" && day >= "01" &&
		(day <= "28" || month != "02" && (day <= "30" || day == "31" && month != "04" && month != "06" && month != "09" && month != "11")) &&
		stored[11:13] <= "23" && stored[14:16] <= "59" && stored[17:19] <= "59"
}

func isSingleChoice(stored string) bool { return !strings.Contains(stored, "[") }

// isCanonicalList reports whether the text is a list that parseWordList can read.
func isCanonicalList(stored string) bool {
	_, ok := parseWordList(stored)
	return ok
}

// parseWordList reads a JSON list, without spaces, of different texts that need no escaping; false for any other text.
func parseWordList(stored string) (list []string, ok bool) {
	inner, opened := strings.CutPrefix(stored, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed || inner == "" {
		return nil, opened && closed
	}
	for part := range strings.SplitSeq(inner, ",") {
		if len(part) < 3 || part[0] != '"' || part[len(part)-1] != '"' {
			return nil, false
		}
		word := part[1 : len(part)-1]
		if strings.ContainsFunc(word, needsEscaping) || slices.Contains(list, word) {
			return nil, false
		}
		list = append(list, word)
	}
	return list, true
}

func needsEscaping(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
}

// isCanonicalJSON reports whether the text is JSON as PocketBase would write it: without spaces, and with nothing in it
// that could be written in another way.
func isCanonicalJSON(stored string) bool {
	switch stored {
	case "null", "[]", "{}":
		return true
	}
	for _, c := range []byte(stored) {
		if c <= ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return jsontext.Value(stored).IsValid(jsontext.AllowDuplicateNames(true))
}

func isCanonicalPoint(stored string) bool { return stored == `{"lon":0,"lat":0}` }
