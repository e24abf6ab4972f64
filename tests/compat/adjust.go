package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/doubletap/doubletap/internal/collection"
)

// addedCollections is how many collections Doubletap adds to PocketBase's own test data, which has users already.
var addedCollections = len(collection.Names()) - 1

// adjustments are made to the copy of PocketBase's sources: its test app gets Doubletap bound, and literals of its
// test data become those of the data that Doubletap has adopted. The adjusted tests must still pass.
var adjustments = []struct {
	file, pattern, replacement string
	times                      int
}{
	{"tests/app.go", `(config\.DataDir = filepath\.Join\(path\.Dir\(currentFile\), "data"\)\n)`, "${1}\t\tadopted, err := adoptedData(config.DataDir)\n\t\tif err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t\tconfig.DataDir = adopted\n", 1},
	{"tests/app.go", `(\tapp := core\.NewBaseApp\(config\)\n)`, "${1}\tbind(app)\n", 1},
	// Doubletap adds collections
	{"apis/collection_import_test.go", `totalCollections := 16`, fmt.Sprint("totalCollections := ", 16+addedCollections), 1},
	{"apis/collection_test.go", `"totalItems":16`, fmt.Sprintf(`"totalItems":%d`, 16+addedCollections), 2},
	{"core/collection_query_test.go", `(\{nil|\[\]string\{\}|\[\]string\{""\}), 16\}`, fmt.Sprintf("${1}, %d}", 16+addedCollections), 3},
	// Doubletap adds fields to users
	{"core/event_request_test.go", `("auth":\{"avatar":"",)("collectionId".*?"file":\[\],)("id":"user\d","name":"",)("rel":"",)`,
		`${1}"bio":"",${2}"followersCount":0,"followingCount":0,"handle":"",${3}"postsCount":0,"private":false,${4}"role":"","state":"",`, 4},
	// users can sign in with their handle too
	{"apis/record_auth_methods_test.go", `("identityFields":\["email","username")(\])`, `${1},"handle"${2}`, 1},
	// who may not write is told so before the body is read, so a superuser sends bodies of all sizes
	{"apis/record_crud_test.go", `(\t\t\tURL: +"/api/collections/demo1/records(?:/imy661ixudk5izi)?",\n)(\t\t\t// the exact body doesn't matter)`,
		"${1}\t\t\tHeaders: map[string]string{\"Authorization\": \"" + superuserToken + "\"},\n${2}", 4},
	// guests may not send a batch, so one of the users does
	{"tests/api.go", `(\t\treq\.Header\.Set\("content-type", "application/json"\)\n)`,
		"${1}\t\tif scenario.URL == \"/api/batch\" {\n\t\t\treq.Header.Set(\"Authorization\", \"" + memberToken + "\")\n\t\t}\n", 1},
}

// superuserToken is a token from PocketBase's tests, of one of its superusers.
const superuserToken = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InN5d2JoZWNuaDQ2cmhtMCIsInR5cGUiOiJhdXRoIiwiY29sbGVjdGlvbklkIjoicGJjXzMxNDI2MzU4MjMiLCJleHAiOjI1MjQ2MDQ0NjEsInJlZnJlc2hhYmxlIjp0cnVlfQ.UXgO3j-0BumcugrFjbd7j0M4MQvbrLggLlcu_YNGjoY"

// memberToken is a token from PocketBase's tests, of one of its users.
const memberToken = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjRxMXhsY2xtZmxva3UzMyIsInR5cGUiOiJhdXRoIiwiY29sbGVjdGlvbklkIjoiX3BiX3VzZXJzX2F1dGhfIiwiZXhwIjoyNTI0NjA0NDYxLCJyZWZyZXNoYWJsZSI6dHJ1ZX0.ZT3F0Z3iM-xbGgSG3LEKiEzHrPHr8t8IuHLZGGNuxLo"

func adjustSources(pocketbase string) error {
	for _, a := range adjustments {
		file := filepath.Join(pocketbase, filepath.FromSlash(a.file))
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("adjust PocketBase's tests: %w", err)
		}
		pattern := regexp.MustCompile(a.pattern)
		if n := len(pattern.FindAll(text, -1)); n != a.times {
			return fmt.Errorf("adjust PocketBase's tests: %s has %q %d times", a.file, a.pattern, n)
		}
		if err := os.WriteFile(file, pattern.ReplaceAll(text, []byte(a.replacement)), 0o600); err != nil {
			return fmt.Errorf("adjust PocketBase's tests: %w", err)
		}
	}
	return nil
}
