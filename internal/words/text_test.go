package words

import (
	"slices"
	"strings"
	"testing"
)

func TestMentions(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"hello @ada and @bob.", []string{"ada", "bob"}},
		{"@Ada @ADA @ada", []string{"ada"}},
		{"(@ada), @b.o.b!", []string{"ada", "b.o.b"}},
		{"mail ada@example.com or x.@ada", nil},
		{"word@ada", nil},
		{"@ada@example.social", nil},
		{"@ab is too short", nil},
		{"＠ａｄａ in full width", []string{"ada"}},
		{"@adaé is another word", nil},
		{"end @ada.", []string{"ada"}},
	} {
		if got := Mentions(test.text); !slices.Equal(got, test.want) {
			t.Errorf("Mentions(%q) = %v, want %v", test.text, got, test.want)
		}
	}
	if n := len(Mentions(strings.Repeat("@aaa @bbb ", 3) + manyNames("@user"))); n != MaxMentions {
		t.Errorf("%d mentions, want at most %d", n, MaxMentions)
	}
}

func TestHashtags(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"#Sunset over #the_bay", []string{"sunset", "the_bay"}},
		{"#2026 is a number, #2026photos is not", []string{"2026photos"}},
		{"#naïve #日本 #हिन्दी", []string{"naive", "日本", "हिन्दी"}},
		{"a#b &#39; ##x", nil},
		{"＃ｆｕｌｌ", []string{"full"}},
		{"#one#two", []string{"one"}},
	} {
		if got := Hashtags(test.text); !slices.Equal(got, test.want) {
			t.Errorf("Hashtags(%q) = %v, want %v", test.text, got, test.want)
		}
	}
	if n := len(Hashtags(manyNames("#tag"))); n != MaxHashtags {
		t.Errorf("%d hashtags, want at most %d", n, MaxHashtags)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("hello @ada #x")
	f.Fuzz(func(t *testing.T, s string) {
		if len(Mentions(s)) > MaxMentions || len(Hashtags(s)) > MaxHashtags {
			t.Fatal("more names than allowed")
		}
	})
}

func manyNames(prefix string) string {
	var b strings.Builder
	for i := range 60 {
		b.WriteString(prefix + "_" + strings.Repeat("a", i+1)[:min(i+1, 20)] + string(rune('a'+i%26)) + string(rune('a'+i/26)) + " ")
	}
	return b.String()
}
