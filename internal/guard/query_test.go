package guard

import "testing"

func TestQuery(t *testing.T) {
	for _, test := range []struct {
		filter, sort string
		ok           bool
	}{
		{`at <= "x" && (at < "x" || post < "y")`, "-at,-post", true},
		{`caption ~ "mail_via_x" || caption ~ "email"`, "", true},
		{`author.handle = "ada"`, "author.name", true},
		{`email ~ "a"`, "", false},
		{`id != "" && (name = "x" || author.email !~ "a")`, "", false},
		{`email:lower = "a"`, "", false},
		{`"a" = email`, "", false},
		{`likes_via_post.user = "x"`, "", false},
		{`geoDistance(a_via_b.lon, 1, 2, 3) < 4`, "", false},
		{"", "name, -email", false},
		{"", "+saves_via_user.id", false},
		{`this is no filter (`, "", true},
	} {
		if err := Query(test.filter, test.sort); (err == nil) != test.ok {
			t.Errorf("Query(%q, %q) = %v", test.filter, test.sort, err)
		}
	}
}
