package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	command "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

var (
	ownRoute        = regexp.MustCompile(`method: +"(POST|PUT|PATCH|DELETE)", path: "([^"]+)"`)
	pocketBaseGroup = regexp.MustCompile(`(\w+) := rg\.Group\("([^"]+)"\)`)
	pocketBaseRoute = regexp.MustCompile(`(\w+)\.(POST|PUT|PATCH|DELETE)\("([^"]*)"`)
)

// writingRoutes returns all routes that may be sent a body, ours and PocketBase's, read from the source.
func writingRoutes(t *testing.T) (routes [][2]string) {
	where, err := command.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pocketbase/pocketbase").Output()
	if err != nil {
		t.Skip("no Go command to find PocketBase's source with: ", err)
	}
	read := func(pattern string, each func(source string)) {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if source, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				each(string(source))
			}
		}
	}
	read("*.go", func(source string) {
		for _, found := range ownRoute.FindAllStringSubmatch(source, -1) {
			routes = append(routes, [2]string{found[1], found[2]})
		}
	})
	read(filepath.Join(strings.TrimSpace(string(where)), "apis", "*.go"), func(source string) {
		groups := map[string]string{"rg": "/api"}
		for _, found := range pocketBaseGroup.FindAllStringSubmatch(source, -1) {
			groups[found[1]] = "/api" + found[2]
		}
		for _, found := range pocketBaseRoute.FindAllStringSubmatch(source, -1) {
			if group, known := groups[found[1]]; known {
				routes = append(routes, [2]string{found[2], group + found[3]})
			}
		}
	})
	if len(routes) < 35 {
		t.Fatalf("only %d routes are found: %q", len(routes), routes)
	}
	return routes
}

// wrongBodies are values of every type but the expected one.
var wrongBodies = []string{`null`, `[]`, `{}`, `""`, `"x"`, `5`, `-1e300`, `true`, `[null]`, `[[]]`, `[5]`, `{"a":null}`}

// TestNoBodyBreaksARoute sends bodies that no client means, as everybody, to every route and in every field of every
// collection. Whoever sends one, the answer calls it a client's mistake and not a failure of ours.
func TestNoBodyBreaksARoute(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	post := ada.Post("hello")
	comment := ada.Comment(post, "", "well")
	collections, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"requests", "subscriptions", "clientId", "identity", "password", "passwordConfirm", "oldPassword", "token", "email", "newEmail", "otpId", "mfaId", "provider", "code",
		"codeVerifier", "redirectURL", "createData", "name", "type", "fields", "indexes", "collections", "deleteMissing", "listRule", "viewQuery", "query", "meta", "smtp", "s3", "logs", "batch", "rateLimits",
		"trustedProxy", "filesystem", "template", "collection", "duration", "clientId", "teamId", "keyId", "privateKey", "before", "action", "note", "body", "url", "method"}
	object := func(names []string, value string) string {
		var members []string
		for _, name := range names {
			members = append(members, fmt.Sprintf("%q:%s", name, value))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	bodies := slices.Clone(wrongBodies)
	for _, value := range wrongBodies {
		bodies = append(bodies, object(names, value))
	}
	for _, item := range wrongBodies {
		bodies = append(bodies, `{"requests":[`+item+`]}`, `{"collections":[`+item+`]}`, `{"fields":[`+item+`]}`, `{"clientId":"x","subscriptions":[`+item+`]}`, `{"body":`+item+`}`)
		for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
			path := "/api/collections/posts/records"
			if method == "PATCH" || method == "DELETE" {
				path += "/" + post
			}
			bodies = append(bodies, fmt.Sprintf(`{"requests":[{"method":%q,"url":%q,"body":%s,"headers":%s}]}`, method, path, item, item))
		}
	}

	asked := 0
	ask := func(c *hookstest.Client, method, path, body string) {
		asked++
		a := c.Do(method, path, json.RawMessage(body))
		if a.Status >= 500 {
			t.Errorf("%s: %s %s %.200s: answered %d %s", c.Name, method, path, body, a.Status, a.Raw)
		}
	}
	clients := func() []*hookstest.Client { return []*hookstest.Client{s.Guest(), s.As("ada"), s.Admin()} } // signed in anew: some routes end sessions
	for _, route := range writingRoutes(t) {
		for _, collection := range []string{"posts", "users", "_superusers", "missing"} {
			path := strings.NewReplacer("{collection}", collection, "{id}", post, "{key}", "missing", "{report}", "missing00000000").Replace(route[1])
			if strings.Contains(path, "{") {
				t.Fatalf("what is %s?", path)
			}
			if route[0] == "DELETE" || path == route[1] && collection != "posts" {
				continue // has no body, or was tried already
			}
			if strings.HasSuffix(path, "/records") || strings.Contains(path, "/records/") {
				continue // below
			}
			for _, c := range clients() {
				for _, body := range bodies {
					ask(c, route[0], path, body)
				}
				for _, value := range wrongBodies {
					asked++
					if a := c.Do(route[0], path, &hookstest.Upload{Fields: map[string]string{"@jsonPayload": value}}); a.Status >= 500 {
						t.Errorf("%s: %s %s, a form with %s: answered %d %s", c.Name, route[0], path, value, a.Status, a.Raw)
					}
					request, err := http.NewRequest(route[0], s.URL+path, strings.NewReader("@jsonPayload="+escapeQuery(value)))
					if err != nil {
						t.Fatal(err)
					}
					request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					request.Header.Set("Authorization", c.Token)
					answer, err := http.DefaultClient.Do(request)
					if err != nil {
						t.Fatal(err)
					}
					answer.Body.Close()
					if answer.StatusCode >= 500 {
						t.Errorf("%s: %s %s, the form @jsonPayload=%s: answered %d", c.Name, route[0], path, value, answer.StatusCode)
					}
				}
			}
		}
	}
	ids := map[string]string{"posts": post, "users": ada.ID, "comments": comment}
	for _, collection := range collections {
		path := "/api/collections/" + collection.Name + "/records"
		one := path + "/missing00000000"
		if id := ids[collection.Name]; id != "" {
			one = path + "/" + id
		} else if id := ""; s.App.DB().NewQuery("SELECT id FROM {{"+collection.Name+"}} LIMIT 1").Row(&id) == nil && !collection.IsAuth() {
			one = path + "/" + id
		}
		fields := append(collection.Fields.FieldNames(), "@jsonPayload", "passwordConfirm", "oldPassword")
		for _, value := range wrongBodies {
			for _, c := range clients() {
				for _, body := range []string{value, object(fields, value), object(slices.DeleteFunc(slices.Clone(fields), func(name string) bool { return name == "id" }), value)} {
					ask(c, "POST", path, body)
					if !collection.IsAuth() || c.Name != "admin" { // it would change who we are
						ask(c, "PATCH", one, body)
					}
				}
				for _, name := range fields {
					if c.Name != "ada" { // for the others, all at once is enough
						break
					}
					ask(c, "POST", path, object([]string{name}, value))
				}
			}
		}
	}
	if asked < 5_000 {
		t.Errorf("only %d requests", asked)
	}
	bob := s.As("bob")
	bob.Must(204, "DELETE", "/api/collections/posts/records/"+bob.Post("the service goes on"), json.RawMessage("null")) // no DELETE takes a body
}
