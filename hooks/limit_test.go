package hooks_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/testenv"
)

const usersPath = "/api/collections/users/"

// expectLimited expects a 429 in PocketBase's shape, with headers that name the limit and say how long to wait.
func expectLimited(t *testing.T, a hookstest.Answer, name string) (wait time.Duration) {
	t.Helper()
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if data, isMap := a.Body["data"].(map[string]any); a.Status != 429 || err != nil || seconds < 1 || !isMap || data == nil || a.Body["status"] != 429. ||
		!strings.HasPrefix(a.Body["message"].(string), "That was a lot at once. Please try again in ") {
		t.Fatalf("%s: %d, Retry-After %q: %s", name, a.Status, a.Header.Get("Retry-After"), a.Raw)
	}
	if !strings.HasPrefix(a.Header.Get("RateLimit"), `"`+name+`";r=0;t=`) || !strings.HasPrefix(a.Header.Get("RateLimit-Policy"), `"`+name+`";q=`) {
		t.Errorf("%s: the headers are %q and %q", name, a.Header.Get("RateLimit"), a.Header.Get("RateLimit-Policy"))
	}
	return time.Duration(seconds) * time.Second
}

// numberOf returns how many units a limit has as it is shipped.
func numberOf(name string) int {
	for _, d := range limit.Definitions {
		if d.Name == name {
			return d.Most
		}
	}
	panic(name)
}

// TestEveryDoorHasItsLimit goes through each door that is limited by whom it is about, for somebody who has an account, in several
// spellings, and for nobody: as many are answered as ever, the next is 429, and one more when the wait is over. Others are not hit.
func TestEveryDoorHasItsLimit(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	ask := func(action string, body func(name string, n int) jsonObject) func(*hookstest.Service, string, int) hookstest.Answer {
		return func(s *hookstest.Service, name string, n int) hookstest.Answer {
			return s.Guest().Do("POST", usersPath+action, body(name, n))
		}
	}
	address := func(name string, n int) string {
		return []string{name + "@example.com", strings.ToUpper(name) + "@example.com", name + "@EXAMPLE.com"}[n%3]
	}
	email := func(name string, n int) jsonObject { return jsonObject{"email": address(name, n)} }
	for _, door := range []struct {
		limit, what string
		ask         func(s *hookstest.Service, name string, n int) hookstest.Answer
	}{
		{"sign-in", "address", ask("auth-with-password", func(name string, n int) jsonObject {
			return jsonObject{"identity": address(name, n), "password": "a wrong one"}
		})},
		{"sign-in", "handle", ask("auth-with-password", func(name string, n int) jsonObject {
			return jsonObject{"identity": []string{name, strings.ToUpper(name)}[n%2], "identityField": "handle", "password": "a wrong one"}
		})},
		{"sign-in", "form", func(s *hookstest.Service, name string, n int) hookstest.Answer {
			return s.Guest().Do("POST", usersPath+"auth-with-password", &hookstest.Upload{Fields: map[string]string{"identity": address(name, n), "password": "a wrong one"}})
		}},
		{"sign-in", "collection by its id", func(s *hookstest.Service, name string, n int) hookstest.Answer {
			return s.Guest().Do("POST", "/api/collections/"+[]string{"users", s.User("ada").Collection().Id}[n%2]+"/auth-with-password", jsonObject{"identity": name, "password": "x"})
		}},
		{"password-reset", "", ask("request-password-reset", email)},
		{"verification", "", ask("request-verification", email)},
		{"one-time-code", "", ask("request-otp", email)},
		{"address-change", "", func(s *hookstest.Service, name string, n int) hookstest.Answer {
			return s.As(hookstest.Cast[n%4+1]).Do("POST", usersPath+"request-email-change", jsonObject{"newEmail": name + "+" + fmt.Sprint(n) + "@example.net"})
		}},
		{"sign-up-mailbox", "", func(s *hookstest.Service, name string, n int) hookstest.Answer {
			return s.Guest().Do("POST", usersPath+"records", jsonObject{"email": name + "+" + fmt.Sprint(n) + "@example.net", "password": "short", "passwordConfirm": "short"})
		}},
	} {
		t.Run(door.limit+" "+door.what, func(t *testing.T) {
			limitRequestsOnlyBy(t, door.limit)
			s := hookstest.New(t)
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 180, "length": 8}})
			for _, name := range []string{"ada", "nobody"} {
				n := 0
				for ; n < numberOf(door.limit); n++ {
					if a := door.ask(s, name, n); a.Status == 429 {
						t.Fatalf("try %d of %s is %d %s", n, name, a.Status, a.Raw)
					}
				}
				wait := expectLimited(t, door.ask(s, name, n), door.limit)
				expectLimited(t, door.ask(s, name, n+1), door.limit)
				if a := door.ask(s, "carol", 0); a.Status == 429 {
					t.Errorf("carol is hit too: %s", a.Raw)
				}
				s.Advance(wait)
				if a := door.ask(s, name, n); a.Status == 429 {
					t.Errorf("after the wait it is %s", a.Raw)
				}
				expectLimited(t, door.ask(s, name, n), door.limit)
			}
		})
	}
}

// TestEveryDoorIsLimitedByAddress knocks at each door for somebody else each time.
func TestEveryDoorIsLimitedByAddress(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	fresh := func(n int) string { return fmt.Sprintf("stranger%d@example.net", n) }
	for action, door := range map[string]struct {
		limit string
		body  func(n int) jsonObject
	}{
		"auth-with-password": {"sign-in-address", func(n int) jsonObject { return jsonObject{"identity": fresh(n), "password": "x"} }},
		"auth-with-otp": {"sign-in-address", func(n int) jsonObject {
			return jsonObject{"otpId": fmt.Sprintf("%08dunknown", n), "password": "00000000"}
		}},
		"auth-with-oauth2":       {"sign-in-address", func(int) jsonObject { return jsonObject{"provider": "none", "code": "x", "redirectURL": "http://x"} }},
		"confirm-password-reset": {"sign-in-address", func(int) jsonObject { return jsonObject{"token": "x", "password": "x", "passwordConfirm": "x"} }},
		"confirm-verification":   {"sign-in-address", func(int) jsonObject { return jsonObject{"token": "x"} }},
		"confirm-email-change":   {"sign-in-address", func(int) jsonObject { return jsonObject{"token": "x", "password": "x"} }},
		"request-otp":            {"mail-address", func(n int) jsonObject { return jsonObject{"email": fresh(n)} }},
		"request-password-reset": {"mail-address", func(n int) jsonObject { return jsonObject{"email": fresh(n)} }},
		"request-verification":   {"mail-address", func(n int) jsonObject { return jsonObject{"email": fresh(n)} }},
		"request-email-change":   {"mail-address", func(n int) jsonObject { return jsonObject{"newEmail": fresh(n)} }},
		"records":                {"sign-up-tries", func(n int) jsonObject { return jsonObject{"email": fresh(n), "password": "short"} }},
	} {
		t.Run(action, func(t *testing.T) {
			t.Setenv(limit.EnvVariable, "on")
			s := hookstest.New(t)
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 180, "length": 8}})
			n := 0
			for ; n < numberOf(door.limit); n++ {
				if a := s.Guest().Do("POST", usersPath+action, door.body(n)); a.Status == 429 {
					t.Fatalf("try %d is %d %s", n, a.Status, a.Raw)
				}
			}
			wait := expectLimited(t, s.Guest().Do("POST", usersPath+action, door.body(n)), door.limit)
			if a := s.Admin().Do("POST", usersPath+action, door.body(n)); a.Status == 429 {
				t.Errorf("a superuser is hit: %s", a.Raw)
			}
			s.Advance(wait)
			if a := s.Guest().Do("POST", usersPath+action, door.body(n+1)); a.Status == 429 {
				t.Errorf("after the wait it is %s", a.Raw)
			}
		})
	}
}

// authRoute matches where PocketBase registers a door of accounts that changes something.
var authRoute = regexp.MustCompile(`sub\.POST\("/([a-z0-9-]+)`)

// TestEveryAuthRouteOfPocketBaseHasALimit reads PocketBase's source, so that a door which it adds is missed here.
func TestEveryAuthRouteOfPocketBaseHasALimit(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	where, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/pocketbase/pocketbase").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(where)), "apis", "record_auth.go"))
	if err != nil {
		t.Fatal(err)
	}
	doors := authRoute.FindAllStringSubmatch(string(source), -1)
	if len(doors) < 12 {
		t.Fatalf("only %d doors are found: %q", len(doors), doors)
	}
	t.Setenv(limit.EnvVariable, "sign-in-address=1/24h, mail-address=1/24h")
	s := hookstest.New(t)
	if err := s.App.Save(core.NewAuthCollection("clubs")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"clubs", "_superusers", "users"} { // an owner's has them too
		for _, door := range doors {
			if door[1] == "auth-refresh" || door[1] == "impersonate" { // for those who are signed in already
				continue
			}
			forgetLimits(s)
			try := func() hookstest.Answer {
				return s.Guest().Do("POST", "/api/collections/"+name+"/"+door[1], jsonObject{})
			}
			if a := try(); a.Status == 429 {
				t.Errorf("%s of %s: the first is %s", door[1], name, a.Raw)
			}
			if a := try(); a.Status != 429 {
				t.Errorf("%s of %s: the second is %d", door[1], name, a.Status)
			}
		}
	}
}

// TestAnAccountIsGuessedFiftyTimesADay guesses as often as the limit of the quarter of an hour lets it.
func TestAnAccountIsGuessedFiftyTimesADay(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	limitRequestsOnlyBy(t, "sign-in", "sign-in-day")
	s := hookstest.New(t)
	guesses := 0
	for range 24 * 4 {
		for s.Guest().Do("POST", usersPath+"auth-with-password", jsonObject{"identity": "ada", "password": "a wrong one"}).Status == 400 {
			guesses++
		}
		s.Advance(15 * time.Minute)
	}
	if guesses < 50 || guesses > 100 {
		t.Errorf("%d guesses in a day", guesses)
	}
}

// TestAnHonestCrowdSignsIn has many people behind one address sign in, and one person with many devices.
func TestAnHonestCrowdSignsIn(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	for n := range numberOf("reads-address") + 10 {
		s.Guest().Must(200, "POST", usersPath+"auth-with-password", jsonObject{"identity": hookstest.Cast[n%2], "password": hookstest.Password})
	}
}

// TestSignUpsAreCountedWhenTheyAreMade makes as many accounts as one address may, among refused tries.
func TestSignUpsAreCountedWhenTheyAreMade(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	signUp := func(by *hookstest.Client, handle string) hookstest.Answer {
		return by.Do("POST", usersPath+"records", jsonObject{"handle": handle, "email": handle + "@example.net", "password": hookstest.Password, "passwordConfirm": hookstest.Password})
	}
	if a := signUp(s.Guest(), "ada"); a.Status != 400 {
		t.Fatalf("a taken handle is %d", a.Status)
	}
	for n := range numberOf("sign-up") {
		if a := signUp(s.Guest(), fmt.Sprint("newcomer", n)); a.Status != 200 {
			t.Fatalf("account %d is %d %s", n, a.Status, a.Raw)
		}
	}
	expectLimited(t, signUp(s.Guest(), "onemore"), "sign-up")
	if a := signUp(s.Admin(), "onemore"); a.Status != 200 {
		t.Errorf("by a superuser it is %d", a.Status)
	}
}

// TestACodeIsGuessedFiveTimes guesses a code from anywhere, and then enters it.
func TestACodeIsGuessedFiveTimes(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	limitRequestsOnlyBy(t, "code-guesses")
	code := ""
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordRequestOTPRequest().BindFunc(func(e *core.RecordCreateOTPRequestEvent) error {
			code = e.Password
			return e.Next()
		})
	})
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 900, "length": 8}})
	forget := func() { s.App.Store().Remove("__pbRateLimiters__") } // PocketBase counts guesses by address, and these come from many
	for wrong, want := range map[int]int{4: 200, 5: 400} {
		s.Advance(time.Hour)
		id := s.Guest().Must(200, "POST", usersPath+"request-otp", jsonObject{"email": "ada@example.com"}).Body["otpId"]
		enter := func(guess string) hookstest.Answer {
			forget()
			return s.Guest().Do("POST", usersPath+"auth-with-otp", jsonObject{"otpId": id, "password": guess})
		}
		for range wrong {
			if a := enter("00000000"); a.Status != 400 {
				t.Fatalf("a wrong code is %d %s", a.Status, a.Raw)
			}
		}
		if a := enter(code); a.Status != want {
			t.Errorf("after %d wrong ones the right code is %d %s, want %d", wrong, a.Status, a.Raw, want)
		}
	}
}

// TestAStolenSessionDoesNotGuessThePassword guesses it by each change that asks for it.
func TestAStolenSessionDoesNotGuessThePassword(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for _, method := range []string{"PATCH", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			t.Setenv(limit.EnvVariable, "on")
			s := hookstest.New(t)
			ada := s.As("ada")
			s.Advance(time.Hour) // a session that began just now needs no password to close the account
			guess := func(password string) hookstest.Answer {
				return ada.Do(method, usersPath+"records/"+ada.ID, jsonObject{"oldPassword": password, "password": password, "passwordConfirm": password})
			}
			for n := range numberOf("password-proof") {
				if a := guess("a wrong one"); a.Status != 400 {
					t.Fatalf("guess %d is %d %s", n, a.Status, a.Raw)
				}
			}
			expectLimited(t, guess(hookstest.Password), "password-proof")
			if a := s.As("bob").Do("PATCH", usersPath+"records/"+s.User("bob").Id, jsonObject{"oldPassword": hookstest.Password, "password": "another horse", "passwordConfirm": "another horse"}); a.Status != 200 {
				t.Errorf("bob's is %d %s", a.Status, a.Raw)
			}
		})
	}
}

// TestReadsAreLimited reads as a person and as a guest, and expects to hear in time that there is little left.
func TestReadsAreLimited(t *testing.T) {
	t.Setenv(limit.EnvVariable, "reads=40/5m, reads-address=20/5m")
	s := hookstest.New(t)
	ada, bob, guest := s.As("ada"), s.As("bob"), s.Guest()
	for _, reader := range []struct {
		client *hookstest.Client
		limit  string
		most   int
	}{{ada, "reads", 40}, {guest, "reads-address", 20}} {
		for n := range reader.most {
			a := reader.client.Do("GET", []string{"/api/collections/posts/records?perPage=5&skipTotal=1", "/api/v1/search?q=ada", "/api/collections/users/auth-methods", "/p/none"}[n%4], nil)
			if a.Status == 429 {
				t.Fatalf("%s: read %d is %s", reader.limit, n, a.Raw)
			}
			if told := a.Header.Get("RateLimit") != ""; told != (n >= reader.most*3/4-1) {
				t.Errorf("%s: read %d says %q", reader.limit, n, a.Header.Get("RateLimit"))
			}
		}
		expectLimited(t, reader.client.Do("GET", "/api/collections/posts/records?perPage=5&skipTotal=1", nil), reader.limit)
	}
	bob.Must(200, "GET", "/api/collections/posts/records", nil)
	for range 60 { // what caches and load balancers ask for is free
		for _, path := range []string{"/api/health", "/livez", "/", "/api/files/posts/none/none.jpg"} {
			if a := guest.Do("GET", path, nil); a.Status == 429 {
				t.Fatalf("%s is %s", path, a.Raw)
			}
		}
	}
	for range 60 {
		s.Admin().Must(200, "GET", "/api/collections/posts/records", nil)
	}
}

// TestAThousandPeopleBehindOneAddressAreNotHit has each of them read, like and comment within a moment.
func TestAThousandPeopleBehindOneAddressAreNotHit(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	post := s.As("ada").Post("hello")
	for n := range 1000 {
		one := s.Someone(n)
		one.Like(post)
		one.Must(200, "GET", "/api/collections/posts/records/"+post, nil)
	}
}

// TestUploadsAreLimited sends forms with files.
func TestUploadsAreLimited(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "uploads=3/30m")
	s := hookstest.New(t)
	ada := s.As("ada")
	for range 3 {
		ada.Post("hello")
	}
	photo := func() *hookstest.Upload {
		return &hookstest.Upload{Fields: map[string]string{"caption": "x"}, Files: map[string][]byte{"photos": hookstest.Photo()}}
	}
	wait := expectLimited(t, ada.Do("POST", "/api/collections/posts/records", photo()), "uploads")
	if n := s.Rows("posts", "true"); n != 3 {
		t.Errorf("%d posts", n)
	}
	s.As("bob").Post("mine")
	s.Advance(wait)
	ada.Post("again")
}

// TestPostsAreLimited shares photos until one is refused, of which nothing stays on the disk, and again after a restart.
func TestPostsAreLimited(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "posts=2/24h")
	s := hookstest.New(t)
	ada := s.As("ada")
	share := func() hookstest.Answer {
		return ada.Do("POST", "/api/collections/posts/records", &hookstest.Upload{Fields: map[string]string{"caption": "x"}, Files: map[string][]byte{"photos": hookstest.Photo()}})
	}
	for range 2 {
		if a := share(); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
	}
	expectLimited(t, share(), "posts")
	forgetLimits(s) // as a restart does
	wait := expectLimited(t, share(), "posts")
	folders, err := filepath.Glob(filepath.Join(s.App.DataDir(), "storage", s.Record("posts", ada.List("posts", "")[0]["id"].(string)).Collection().Id, "*"))
	if err != nil || len(folders) != 2 || s.Rows("posts", "true") != 2 {
		t.Errorf("%d folders of %d posts: %v", len(folders), s.Rows("posts", "true"), err)
	}
	s.As("bob").Post("mine")
	s.Advance(wait + time.Second)
	if a := share(); a.Status != 200 {
		t.Errorf("after the wait it is %d %s", a.Status, a.Raw)
	}
}

// TestGuestsUploadsAreLimited signs up with avatars.
func TestGuestsUploadsAreLimited(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "uploads-address=2/30m")
	s := hookstest.New(t)
	signUp := func(n int) hookstest.Answer {
		name := fmt.Sprint("newcomer", n)
		return s.Guest().Do("POST", usersPath+"records", &hookstest.Upload{
			Fields: map[string]string{"handle": name, "email": name + "@example.net", "password": hookstest.Password, "passwordConfirm": hookstest.Password},
			Files:  map[string][]byte{"avatar": hookstest.Photo()},
		})
	}
	for n := range 2 {
		if a := signUp(n); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
	}
	expectLimited(t, signUp(2), "uploads-address")
	s.As("ada").Post("an account's is not a guest's")
}

// added are the ways in which each limited thing is added, n times by one person.
var added = []struct {
	name string
	add  func(s *hookstest.Service, by *hookstest.Client, n int) jsonObject
}{
	{"likes", func(s *hookstest.Service, _ *hookstest.Client, n int) jsonObject {
		return jsonObject{"post": postOf(s, n)}
	}},
	{"follows", func(s *hookstest.Service, _ *hookstest.Client, n int) jsonObject {
		return jsonObject{"followee": s.Someone(n).ID}
	}},
	{"comments", func(s *hookstest.Service, _ *hookstest.Client, n int) jsonObject {
		return jsonObject{"post": postOf(s, 0), "text": fmt.Sprint("hello ", n)}
	}},
	{"reports", func(s *hookstest.Service, _ *hookstest.Client, n int) jsonObject {
		return jsonObject{"post": postOf(s, 0), "reason": fmt.Sprint("reason ", n)}
	}},
}

// postOf returns the n-th post of ada.
func postOf(s *hookstest.Service, n int) string {
	for n >= s.Rows("posts", "caption LIKE 'limited%'") {
		s.As("ada").Post(fmt.Sprint("limited", s.Rows("posts", "caption LIKE 'limited%'")))
	}
	for _, post := range s.As("ada").List("posts", "perPage=100&filter="+escapeQuery(fmt.Sprintf("caption='limited%d'", n))) {
		return post["id"].(string)
	}
	return ""
}

// TestWhatAPersonAddsIsLimited adds one by one, in a batch, after a restart, again, and as those who have no limit.
func TestWhatAPersonAddsIsLimited(t *testing.T) {
	for _, thing := range added {
		t.Run(thing.name, func(t *testing.T) {
			t.Setenv(limit.EnvVariable, thing.name+"=4/1h")
			s := hookstest.New(t)
			bob, path := s.As("bob"), "/api/collections/"+thing.name+"/records"
			item := func(n int) jsonObject { return jsonObject{"method": "POST", "url": path, "body": thing.add(s, bob, n)} }
			first := bob.Create(thing.name, thing.add(s, bob, 0))
			for n := 1; n < 3; n++ {
				bob.Create(thing.name, thing.add(s, bob, n))
			}
			if a := bob.Do("POST", path, jsonObject{"post": "none", "followee": "none", "text": "x", "reason": "x"}); a.Status != 400 {
				t.Errorf("a refused one is %d", a.Status)
			}
			if thing.name != "comments" { // of which each is a new one
				var again sync.WaitGroup
				for range 8 {
					again.Go(func() { bob.Do("POST", path, thing.add(s, bob, 2)) })
				}
				again.Wait()
				bob.Create(thing.name, thing.add(s, bob, 2))
			}
			batch := bob.Do("POST", "/api/batch", jsonObject{"requests": []jsonObject{item(3), item(4)}})
			expectBatchLimited(t, batch, thing.name)
			if n := s.Rows(thing.name, "true"); n != 3 {
				t.Fatalf("%d are stored after a batch that is refused", n)
			}
			bob.Create(thing.name, thing.add(s, bob, 3)) // which the batch had taken, and gave back
			wait := expectLimited(t, bob.Do("POST", path, thing.add(s, bob, 4)), thing.name)
			if n := s.Rows(thing.name, "true"); n != 4 {
				t.Errorf("%d are stored", n)
			}
			if thing.name == "likes" || thing.name == "follows" {
				if a := bob.Do("POST", path, thing.add(s, bob, 1)); a.Status != 200 {
					t.Errorf("a repeat is %d %s", a.Status, a.Raw)
				}
				bob.Delete(thing.name, first.ID()) // it was counted all the same
				expectLimited(t, bob.Do("POST", path, thing.add(s, bob, 0)), thing.name)
			}
			s.As("carol").Create(thing.name, thing.add(s, bob, 4))
			if thing.name != "likes" && thing.name != "follows" {
				execSQL(t, s.App, "PRAGMA wal_checkpoint(TRUNCATE)")
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(s.App.DataDir())); err != nil {
					t.Fatal(err)
				}
				again := hookstest.Open(t, dir)
				expectLimited(t, again.As("bob").Do("POST", path, thing.add(s, bob, 5)), thing.name)
			}
			owner := map[string]string{"likes": "user", "follows": "follower", "comments": "author", "reports": "reporter"}[thing.name]
			body := thing.add(s, bob, 6)
			body[owner] = bob.ID
			s.Admin().Create(thing.name, body)
			s.Advance(wait)
			bob.Create(thing.name, thing.add(s, bob, 7))
		})
	}
}

// expectBatchLimited is expectLimited for a batch, which says beside it which item was refused.
func expectBatchLimited(t *testing.T, a hookstest.Answer, name string) {
	t.Helper()
	expectLimited(t, a, name)
	if !strings.Contains(a.Raw, `"requests":{"1":`) {
		t.Errorf("%s: it does not say which: %s", name, a.Raw)
	}
}

// TestLikesAreLimitedAfterARestart likes on, on both paths, where what was counted is lost and the rows are not.
func TestLikesAreLimitedAfterARestart(t *testing.T) {
	testenv.SkipSequential(t)
	t.Setenv(limit.EnvVariable, "likes=4/24h")
	s := hookstest.New(t)
	bob := s.As("bob")
	for n := range 4 {
		bob.Like(postOf(s, n))
	}
	forgetLimits(s) // as a restart does
	wait := expectLimited(t, bob.Do("POST", "/api/collections/likes/records", jsonObject{"post": postOf(s, 4)}), "likes")
	if wait > 6*time.Hour || wait < 5*time.Hour {
		t.Errorf("the wait is %s", wait)
	}
	s.Advance(wait)
	bob.Like(postOf(s, 4))
}

// TestTheOwnersOwnLimitsHoldToo turns PocketBase's limiter on beside ours.
func TestTheOwnersOwnLimitsHoldToo(t *testing.T) {
	testenv.SkipSequential(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/settings", jsonObject{"rateLimits": jsonObject{"enabled": true, "rules": []jsonObject{{"label": "likes:create", "maxRequests": 2, "duration": 60}}}})
	bob := s.As("bob")
	for n := range 2 {
		bob.Like(postOf(s, n))
	}
	if a := bob.Do("POST", "/api/collections/likes/records", jsonObject{"post": postOf(s, 2)}); a.Status != http.StatusTooManyRequests {
		t.Errorf("one too many for the owner is %d", a.Status)
	}
}

// TestAMistakeInTheLimitsStopsTheStart is told before the service runs without them.
func TestAMistakeInTheLimitsStopsTheStart(t *testing.T) {
	t.Setenv(limit.EnvVariable, "raeds=3/5m")
	if err := limit.CheckSettings(); err == nil || !strings.Contains(err.Error(), "raeds") {
		t.Errorf("%v", err)
	}
}
