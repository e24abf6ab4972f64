package edgeid

import "testing"

// Clients compute these ids too, so they never change. The wanted ids come from another implementation of the formula.
func TestID(t *testing.T) {
	for _, test := range []struct {
		collection string
		ends       []string
		want       string
	}{
		{"likes", []string{"post00000000001", "user00000000001"}, "i17m403u1qno98p"},
		{"mutes", []string{"user00000000001", "user00000000002", ""}, "0vvngnnd4up87sr"},
	} {
		if got := IDBetween(test.collection, test.ends...); got != test.want {
			t.Errorf("ID(%s, %v) = %s, want %s", test.collection, test.ends, got, test.want)
		}
	}
}
