package listing

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// put appends a stored value as PocketBase's answers have it.
type put func(out []byte, stored string) []byte

// putter returns how a field's values are written. Nearly all of them are written as they are stored; one that
// looks otherwise goes through the field itself.
func putter(field core.Field) (put, bool) {
	general := through(field)
	either := func(plain func(string) bool, quick put) put {
		return func(out []byte, stored string) []byte {
			if plain(stored) {
				return quick(out, stored)
			}
			return general(out, stored)
		}
	}
	several := either(plainList, raw)
	single := either(plainChoice, quote)
	choose := func(multiple bool) put {
		if multiple {
			return several
		}
		return single
	}
	switch f := field.(type) {
	case *core.TextField, *core.EditorField, *core.EmailField, *core.URLField:
		return quote, true
	case *core.BoolField:
		return either(plainBool, putBool), true
	case *core.NumberField:
		return either(plainNumber, raw), true
	case *core.DateField, *core.AutodateField:
		return either(plainDate, quote), true
	case *core.SelectField:
		return choose(f.IsMultiple()), true
	case *core.RelationField:
		return choose(f.IsMultiple()), true
	case *core.FileField:
		return choose(f.IsMultiple()), true
	case *core.JSONField:
		return either(plainJSON, raw), true
	case *core.GeoPointField:
		return either(plainPoint, raw), true
	}
	return nil, false
}

func raw(out []byte, stored string) []byte { return append(out, stored...) }

func quote(out []byte, stored string) []byte {
	out, _ = jsontext.AppendQuote(out, stored) // what is no UTF-8 is replaced, as PocketBase does
	return out
}

func putBool(out []byte, stored string) []byte {
	if stored == "1" {
		return append(out, "true"...)
	}
	return append(out, "false"...)
}

// through makes a value what PocketBase makes it on its way from the row to the answer.
func through(field core.Field) put {
	return func(out []byte, stored string) []byte {
		value, err := field.PrepareValue(nil, stored)
		if err != nil {
			return append(out, broken)
		}
		text, err := json.Marshal(value, json.Deterministic(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return append(out, broken)
		}
		return append(out, text...)
	}
}

func plainBool(stored string) bool { return stored == "0" || stored == "1" }

// plainNumber is a whole number that a float64 holds exactly.
func plainNumber(stored string) bool {
	digits := strings.TrimPrefix(stored, "-")
	if digits == "" || len(digits) > 15 || digits[0] == '0' && stored != "0" {
		return false
	}
	return !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

// plainDate is a time in the layout that PocketBase stores.
func plainDate(stored string) bool {
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

func plainChoice(stored string) bool { return !strings.Contains(stored, "[") }

// plainList is a list of different words that need no escaping, without spaces.
func plainList(stored string) bool {
	_, ok := words(stored)
	return ok
}

// words reads a plainList.
func words(stored string) (list []string, ok bool) {
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
		if strings.ContainsFunc(word, odd) || slices.Contains(list, word) {
			return nil, false
		}
		list = append(list, word)
	}
	return list, true
}

func odd(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
}

func plainJSON(stored string) bool { return stored == "null" || stored == "[]" || stored == "{}" }

func plainPoint(stored string) bool { return stored == `{"lon":0,"lat":0}` }
