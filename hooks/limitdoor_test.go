package hooks_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/testenv"
	"github.com/doubletap/doubletap/internal/web"
)

// sendText sends a body of some type, with further headers.
func sendText(t *testing.T, s *hookstest.Service, method, path, kind, body string, headers map[string]string) hookstest.Answer {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := hookstest.Answer{Status: response.StatusCode, Raw: string(raw), Header: response.Header}
	_ = json.Unmarshal(raw, &answer.Body) // a page is none
	return answer
}

// namedDoors are the doors that are limited by whom they are about, with the field that says so.
var namedDoors = []struct{ action, field, limit string }{
	{"auth-with-password", "identity", "sign-in"},
	{"request-otp", "email", "one-time-code"},
	{"request-password-reset", "email", "password-reset"},
	{"request-verification", "email", "verification"},
	{"request-email-change", "newEmail", "address-change"},
	{"records", "email", "sign-up-mailbox"},
}

// bodyForms are the forms in which PocketBase takes a body.
var bodyForms = map[string]func(text string) (kind, body string){
	"JSON":        func(text string) (string, string) { return "application/json", text },
	"padded JSON": func(text string) (string, string) { return "application/json", text + strings.Repeat(" ", 9000) + "{}" },
	"@jsonPayload": func(text string) (string, string) {
		return "application/x-www-form-urlencoded", url.Values{"@jsonPayload": {text}}.Encode()
	},
	"multipart": func(text string) (string, string) {
		return "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"@jsonPayload\"\r\n\r\n" + text + "\r\n--x--\r\n"
	},
	"form": func(text string) (string, string) {
		var fields map[string]any
		_ = json.Unmarshal([]byte(text), &fields)
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, fmt.Sprint(value))
		}
		return "application/x-www-form-urlencoded", form.Encode()
	},
}

// TestAFieldOfAnotherDoorHidesNobody sends with each door's own field one that it does not have, of a type that no door has.
func TestAFieldOfAnotherDoorHidesNobody(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for _, door := range namedDoors {
		t.Run(door.action, func(t *testing.T) {
			limitRequestsOnlyBy(t, door.limit)
			s := hookstest.New(t)
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true, "duration": 180, "length": 8}})
			token := ""
			if door.field == "newEmail" {
				token = s.As("bob").Token
			}
			for form, encode := range bodyForms {
				for _, foreign := range []string{`"identity":1`, `"email":1`, `"newEmail":[]`, `"Email":"other@example.net"`, `"other":{}`} {
					if strings.HasPrefix(strings.ToLower(foreign), `"`+strings.ToLower(door.field)+`"`) && door.action != "records" {
						continue
					}
					if door.action == "records" && strings.HasPrefix(foreign, `"email"`) {
						continue
					}
					forgetLimits(s)
					try := func() hookstest.Answer {
						kind, body := encode(`{"` + door.field + `":"victim@example.net","password":"guess","passwordConfirm":"other",` + foreign + `}`)
						return sendText(t, s, "POST", usersPath+door.action, kind, body, map[string]string{"Authorization": token})
					}
					for n := range numberOf(door.limit) {
						if a := try(); a.Status == 429 {
							t.Fatalf("%s with %s: try %d is %s", form, foreign, n, a.Raw)
						}
					}
					if a := try(); a.Status != 429 {
						t.Errorf("%s with %s: one too many is %d %s", form, foreign, a.Status, a.Raw)
					}
				}
			}
		})
	}
}

// TestWhatCannotBeReadGoesNoFurther names somebody in a way that is no text, in XML, or twice.
func TestWhatCannotBeReadGoesNoFurther(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "on")
	s := hookstest.New(t)
	password := `","password":"` + hookstest.Password + `"`
	for _, text := range []string{`{"identity":1,"password":"` + hookstest.Password + `"}`, `{"identity":"ada","Identity":"bob` + password + `}`, `{"identity":"ada` + password} {
		if a := sendText(t, s, "POST", usersPath+"auth-with-password", "application/json", text, nil); a.Status != 400 {
			t.Errorf("%s is %d %s", text, a.Status, a.Raw)
		}
	}
	one := "<form><Identity>ada</Identity><Password>" + hookstest.Password + "</Password><Email>ada@example.com</Email><NewEmail>x@example.net</NewEmail></form>"
	for _, door := range namedDoors {
		for _, kind := range []string{"text/xml", "application/xml; charset=utf-8"} {
			if a := sendText(t, s, "POST", usersPath+door.action, kind, strings.Repeat(one, 9), map[string]string{"Authorization": s.As("bob").Token}); a.Status != 400 || a.Body["status"] != 400. {
				t.Errorf("%s at %s is %d %s", kind, door.action, a.Status, a.Raw)
			}
		}
	}
}

// TestWhatIsRefusedCostsNothingElsewhere is refused by a later limit, again and again, and has the units of those before it.
func TestWhatIsRefusedCostsNothingElsewhere(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "sign-in=2/1h, sign-in-address=5/1h, uploads=1/1h, reads=5/1h")
	s := hookstest.New(t)
	guess := func(name string) int {
		return s.Guest().Do("POST", usersPath+"auth-with-password", jsonObject{"identity": name, "password": "a wrong one"}).Status
	}
	for n := range 10 {
		if got := guess("ada"); got != 400 && n < 2 || got != 429 && n >= 2 {
			t.Fatalf("guess %d is %d", n, got)
		}
	}
	for n, want := range []int{400, 400, 400, 429} {
		if got := guess(fmt.Sprint("nobody", n)); got != want {
			t.Errorf("the guess of another is %d, want %d", got, want)
		}
	}
	ada := s.As("ada")
	for range 9 {
		ada.Do("POST", "/api/collections/posts/records", &hookstest.Upload{Fields: map[string]string{"caption": "x"}})
	}
	for range 4 {
		ada.Must(200, "GET", "/api/collections/posts/records", nil)
	}
	expectLimited(t, ada.Do("GET", "/api/collections/posts/records", nil), "reads")
}

// TestManySignInAtOneMoment does it rightly with all, and wrongly with as many as there are units for.
func TestManySignInAtOneMoment(t *testing.T) {
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "sign-in=3/1h, sign-in-address=3/1h")
	s := hookstest.New(t)
	many := func(password string, name func(n int) string) map[int]int {
		var all sync.WaitGroup
		var mu sync.Mutex
		statuses := map[int]int{}
		for n := range 40 {
			all.Go(func() {
				a := s.Guest().Do("POST", usersPath+"auth-with-password", jsonObject{"identity": name(n), "password": password})
				mu.Lock()
				defer mu.Unlock()
				statuses[a.Status]++
			})
		}
		all.Wait()
		return statuses
	}
	if got := many(hookstest.Password, func(n int) string { return hookstest.Cast[n%2] }); got[200] != 40 {
		t.Errorf("rightly: %v", got)
	}
	if got := many("a wrong one", func(n int) string { return fmt.Sprint("nobody", n) }); got[400] != 3 || got[429] != 37 {
		t.Errorf("wrongly: %v", got)
	}
}

// TestAStrangerKeepsNobodyOut guesses ada's password from elsewhere until the name is used up.
func TestAStrangerKeepsNobodyOut(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "sign-in-address=off")
	t.Setenv(web.ProxiesVariable, "127.0.0.1")
	s := hookstest.New(t)
	signIn := func(from, password string) hookstest.Answer {
		return sendText(t, s, "POST", usersPath+"auth-with-password", "application/json", `{"identity":"ada","password":"`+password+`"}`, map[string]string{"X-Forwarded-For": from})
	}
	const home, abroad, stranger = "192.0.2.1", "192.0.2.2", "203.0.113.9"
	if a := signIn(home, hookstest.Password); a.Status != 200 {
		t.Fatal(a.Raw)
	}
	for range numberOf("sign-in") {
		signIn(stranger, "a wrong one")
	}
	expectLimited(t, signIn(stranger, hookstest.Password), "sign-in")
	expectLimited(t, signIn(abroad, hookstest.Password), "sign-in")
	for n := range numberOf("sign-in") { // where she was before she has units of her own
		if a := signIn(home, "a wrong one"); a.Status != 400 {
			t.Fatalf("her mistake %d is %s", n, a.Raw)
		}
	}
	expectLimited(t, signIn(home, hookstest.Password), "sign-in")

	token, err := s.User("ada").NewPasswordResetToken()
	if err != nil {
		t.Fatal(err)
	}
	reset := `{"token":"` + token + `","password":"another horse","passwordConfirm":"another horse"}`
	if a := sendText(t, s, "POST", usersPath+"confirm-password-reset", "application/json", reset, map[string]string{"X-Forwarded-For": home}); a.Status != 204 {
		t.Fatal(a.Raw)
	}
	for _, from := range []string{home, abroad} {
		if a := signIn(from, "another horse"); a.Status != 200 {
			t.Errorf("after the reset it is %s from %s", a.Raw, from)
		}
	}
	s.Advance(time.Hour)
}

// TestALimitedPageIsAPage asks for pages as a browser, and as a program.
func TestALimitedPageIsAPage(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "reads-address=1/1h")
	s := hookstest.New(t)
	browser := map[string]string{"Accept": "text/html,*/*"}
	for _, path := range []string{"/p/none", "/@ada", "/tags/x", "/docs/api", "/sitemap.xml", "/sitemap/users-0.xml", "/oembed?url=x", "/api/collections/posts/records"} {
		forgetLimits(s)
		if a := sendText(t, s, "GET", path, "", "", nil); a.Status == 429 {
			t.Fatalf("%s: the first is %s", path, a.Raw)
		}
		expectLimited(t, sendText(t, s, "GET", path, "", "", nil), "reads-address")
		a := sendText(t, s, "GET", path, "", "", browser)
		isPage := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html")
		if a.Status != 429 || isPage == strings.HasPrefix(path, "/api/") || a.Header.Get("Retry-After") == "" || a.Header.Get("RateLimit") == "" {
			t.Errorf("%s is %d %v: %.200s", path, a.Status, a.Header, a.Raw)
		}
	}
}

// TestAnAccountAsksForMailAsItself asks for more mails from one address than guests may.
func TestAnAccountAsksForMailAsItself(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "mail-address=1/1h")
	s := hookstest.New(t)
	ask := func(name string, n int) hookstest.Answer {
		return s.As(name).Do("POST", usersPath+"request-email-change", jsonObject{"newEmail": fmt.Sprint(name, n, "@example.net")})
	}
	for _, name := range hookstest.Cast {
		if a := ask(name, 0); a.Status == 429 {
			t.Errorf("%s is refused: %s", name, a.Raw)
		}
		expectLimited(t, ask(name, 1), "mail-address")
	}
}

// TestWhatIsTooManyIsCountedByItsLimit meets limits at the door, in the transaction, in a batch and of a guest.
func TestWhatIsTooManyIsCountedByItsLimit(t *testing.T) {
	testenv.SkipSequential(t)
	t.Setenv(limit.EnvVariable, "reads-address=1/5m, likes=1/24h, comments=1/24h, sign-in=1/15m")
	s := hookstest.New(t)
	bob, post := s.As("bob"), s.As("ada").Post("hello")
	comment := jsonObject{"post": post, "text": "hello"}
	refused := func(by *hookstest.Client, path string, body any) {
		t.Helper()
		by.Must(429, "POST", path, body)
	}
	bob.Like(post)
	refused(bob, recordsOf("likes"), jsonObject{"post": s.As("ada").Post("hello")})
	bob.Comment(post, "", "hello")
	refused(bob, recordsOf("comments"), comment)
	refused(bob, "/api/batch", jsonObject{"requests": []jsonObject{{"method": "POST", "url": recordsOf("comments"), "body": comment}}})
	guess := jsonObject{"identity": "ada@example.com", "password": "wrong"}
	s.Guest().Must(400, "POST", "/api/collections/users/auth-with-password", guess)
	refused(s.Guest(), "/api/collections/users/auth-with-password", guess)
	s.Guest().Must(200, "GET", recordsOf("posts"), nil)
	s.Guest().Must(429, "GET", recordsOf("posts"), nil)
	for name, want := range map[string]int{"likes": 1, "comments": 2, "sign-in": 1, "reads-address": 1, "[^\"]*": 5} {
		if got := metricSum(t, s, `doubletap_limited_total\{limit="`+name+`"\} (\d+)`); got != want {
			t.Errorf("%d are counted by %s, want %d", got, name, want)
		}
	}
}
