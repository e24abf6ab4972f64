package listing

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestValuesAreWrittenAsPocketBaseWritesThem compares what is stored, canonical or not, as the fast page writes it with
// what the field itself makes of it.
func TestValuesAreWrittenAsPocketBaseWritesThem(t *testing.T) {
	for name, c := range map[string]struct {
		field  core.Field
		stored []string
	}{
		"text":   {&core.TextField{}, []string{"", "a", `"`, "a\nb", "ä", "\xff", "<b>", "\u2028"}},
		"bool":   {&core.BoolField{}, []string{"0", "1", "", "true", "false", "2", "t"}},
		"number": {&core.NumberField{}, []string{"0", "7", "-7", "", "-", "007", "0.5", "1e3", "999999999999999", "9999999999999999", "99999999999999999", "123456789012345678", "1234567890123456789", "x"}},
		"date": {&core.DateField{}, []string{"", "2026-11-30 10:00:00.000Z", "2026-11-30T10:00:00Z", "2026-02-30 10:00:00.000Z", "2026-04-31 10:00:00.000Z", "2026-13-01 10:00:00.000Z", "2026-11-30 24:00:00.000Z",
			"2026-11-30 10:60:00.000Z", "0000-00-00 00:00:00.000Z", "2024-02-29 10:00:00.000Z", "2026-11-30 10:00:00.000", "x"}},
		"one choice": {&core.SelectField{MaxSelect: 1}, []string{"", "a", `["a"]`, `["a","b"]`, "[", `"`}},
		"choices":    {&core.SelectField{MaxSelect: 3}, []string{"", "[]", `["a"]`, `["a","b"]`, `["a", "b"]`, `["a","a"]`, `["ä"]`, `["a\"b"]`, `["a<b"]`, `["\u0041"]`, "[\"\xff\"]", `["a&b"]`, `["a\\b"]`, `["a,b"]`, `[""]`, "a", "[", `["a"`, "null"}},
		"relation":   {&core.RelationField{MaxSelect: 1}, []string{"", "abc", `["abc"]`}},
		"relations":  {&core.RelationField{MaxSelect: 9}, []string{"[]", `["abc","def"]`, `["abc","abc"]`, "abc", ""}},
		"files":      {&core.FileField{MaxSelect: 9}, []string{"[]", `["a_b.jpg","c-d.png"]`, `["a b.jpg"]`, "a.jpg", ""}},
		"json": {&core.JSONField{}, []string{"", "null", "[]", "{}", `{"b":1,"a":2}`, `"x"`, "x", "1", "1.0", "1E5", "-0", "12345678901234567890", `"a b"`, `"<&>"`, `"a\/b"`, `"a/b"`, `"\u0041"`, `"é"`, "\"\x7f\"", "[1, 2]", "[1,]", "tru", `{"a":1,"a":2}`,
			`[{"w":1080,"h":1350,"hash":"LEHV6nWB2yk8pyo0adR*.7kCMdnj","color":"#aabbcc"}]`}},
		"place": {&core.GeoPointField{}, []string{"", `{"lon":0,"lat":0}`, `{"lon":1.5,"lat":-2}`, `{"lat":1}`, "null", "x"}},
	} {
		quick, ok := appenderOf(c.field)
		if !ok {
			t.Errorf("%s has no appender", name)
			continue
		}
		general := fieldAppender(c.field)
		for _, stored := range c.stored {
			if got, want := string(quick(nil, stored)), string(general(nil, stored)); got != want {
				t.Errorf("%s %q: written as %s, by PocketBase as %s", name, stored, got, want)
			}
		}
	}
}
