package hooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/session"
	"github.com/doubletap/doubletap/internal/testenv"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

// signInOn signs a person in with the password, on a device of their own.
func signInOn(s *hookstest.Service, name, userAgent string) *hookstest.Client {
	c := s.Guest().With("User-Agent", userAgent)
	a := c.Must(200, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": name, "password": hookstest.Password})
	c.Name, c.ID, c.Token = name, accountIDOf(a), a.Body["token"].(string)
	return c
}

// sessionsOf returns the sessions that a person sees.
func sessionsOf(c *hookstest.Client) []map[string]any {
	return c.Must(200, "GET", "/api/v1/sessions", nil).Items()
}

// currentSession returns the id of the session in which the person asks.
func currentSession(t *testing.T, c *hookstest.Client) string {
	t.Helper()
	all := sessionsOf(c)
	at := slices.IndexFunc(all, func(one map[string]any) bool { return one["current"] == true })
	if at < 0 {
		t.Fatalf("none of %v is this one", all)
	}
	return all[at]["id"].(string)
}

func TestEachSignInIsASession(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	laptop := signInOn(s, "ada", firefox)
	s.Advance(time.Hour)
	phone := signInOn(s, "ada", iPhone)
	all := sessionsOf(phone)
	var shown []string
	for _, one := range all {
		shown = append(shown, fmt.Sprint(one["device"], ", ", one["address"], ", ", one["method"], ", ", one["current"]))
	}
	want := []string{"Safari on iPhone, 127.0.0.0/24, password, true", "Firefox on Linux, 127.0.0.0/24, password, false"}
	if !slices.Equal(shown, want) {
		t.Errorf("ada sees %q, want %q", shown, want)
	}
	if keys := slices.Sorted(maps.Keys(all[0])); !slices.Equal(keys, []string{"address", "created", "current", "device", "ends", "id", "lastSeen", "method"}) {
		t.Errorf("a session is shown with %q", keys)
	}
	before := currentSession(t, laptop)
	laptop.Token = laptop.Must(200, "POST", "/api/collections/users/auth-refresh", nil).Body["token"].(string)
	if after := currentSession(t, laptop); after != before {
		t.Errorf("after a refresh she is in session %s, want %s", after, before)
	}
	if n := s.Rows("account_sessions", "true"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	s.Guest().Must(401, "GET", "/api/v1/sessions", nil)
	s.Guest().Must(401, "DELETE", "/api/v1/sessions/"+before, nil)
	if bobs := sessionsOf(signInOn(s, "bob", firefox)); len(bobs) != 1 {
		t.Errorf("bob sees %v", bobs)
	}
	s.Guest().Must(400, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada", "password": "a wrong one"})
	if n := s.Rows("account_sessions", "user = '"+laptop.ID+"'"); n != 2 {
		t.Errorf("after a wrong password %d rows, want 2", n)
	}
}

// TestEveryWayInIsASession goes through the ways in which a user gets a token.
func TestEveryWayInIsASession(t *testing.T) {
	t.Parallel()
	users := "/api/collections/users/"
	for method, signs := range map[string]func(t *testing.T, s *hookstest.Service, ada *hookstest.Client) hookstest.Answer{
		"password": func(_ *testing.T, s *hookstest.Service, _ *hookstest.Client) hookstest.Answer {
			return s.Guest().Do("POST", users+"auth-with-password", jsonObject{"identity": "ada", "password": hookstest.Password})
		},
		"oauth2": func(t *testing.T, s *hookstest.Service, _ *hookstest.Client) hookstest.Answer {
			p := newOAuthProvider(t, s, false)
			return p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true}, nil)
		},
		"otp": func(t *testing.T, s *hookstest.Service, ada *hookstest.Client) hookstest.Answer {
			code := core.NewOTP(s.App)
			code.SetCollectionRef(s.User("ada").Collection().Id)
			code.SetRecordRef(ada.ID)
			code.SetPassword("12345678")
			s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true}})
			if err := s.App.Save(code); err != nil {
				t.Fatal(err)
			}
			return s.Guest().Do("POST", users+"auth-with-otp", jsonObject{"otpId": code.Id, "password": "12345678"})
		},
		"": func(_ *testing.T, _ *hookstest.Service, ada *hookstest.Client) hookstest.Answer { // a token of the time before there were sessions
			return ada.Do("POST", users+"auth-refresh", nil)
		},
		session.Impersonation: func(_ *testing.T, s *hookstest.Service, ada *hookstest.Client) hookstest.Answer {
			return s.Admin().Do("POST", users+"impersonate/"+ada.ID, jsonObject{"duration": 1000})
		},
	} {
		t.Run("by "+method, func(t *testing.T) {
			t.Parallel()
			s := hookstest.New(t)
			ada := s.As("ada")
			a := signs(t, s, ada)
			if a.Status != 200 {
				t.Fatalf("answered %d %s", a.Status, a.Raw)
			}
			ada.Token = a.Body["token"].(string)
			all := sessionsOf(ada)
			if len(all) != 1 || all[0]["method"] != method || all[0]["current"] != true {
				t.Fatalf("she sees %v, want one by %q", all, method)
			}
			ada.Must(204, "DELETE", "/api/v1/sessions/"+all[0]["id"].(string), nil)
			ada.Must(401, "POST", users+"auth-refresh", nil)
		})
	}
}

// TestAFirstProofIsNoSession: who has given the password and not yet the code is not signed in.
func TestAFirstProofIsNoSession(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"otp": jsonObject{"enabled": true}, "mfa": jsonObject{"enabled": true}})
	s.Guest().Must(401, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada", "password": hookstest.Password})
	if n := s.Rows("account_sessions", "true"); n != 0 {
		t.Errorf("%d sessions, want none", n)
	}
}

// TestAnEndedSessionEndsAllThatIsIts does what a stolen phone makes necessary, from the laptop.
func TestAnEndedSessionEndsAllThatIsIts(t *testing.T) {
	t.Parallel()
	for by, end := range map[string]func(s *hookstest.Service, laptop, phone *hookstest.Client, id string){
		"at another device": func(_ *hookstest.Service, laptop, _ *hookstest.Client, id string) {
			laptop.Must(204, "DELETE", "/api/v1/sessions/"+id, nil)
		},
		"at the device itself": func(_ *hookstest.Service, _, phone *hookstest.Client, id string) {
			if a := phone.Must(204, "DELETE", "/api/v1/sessions/"+id, nil); a.Header.Get("Clear-Site-Data") != `"cache"` {
				t.Errorf("the browser is told %q", a.Header.Get("Clear-Site-Data"))
			}
		},
		"by a superuser": func(s *hookstest.Service, _, _ *hookstest.Client, id string) {
			s.Admin().Must(204, "DELETE", "/api/collections/account_sessions/records/"+id, nil)
		},
	} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			s := hookstest.New(t)
			laptop, phone := signInOn(s, "ada", firefox), signInOn(s, "ada", iPhone)
			post := phone.Post("mine alone", "visibility", "private")
			photo := "/api/files/posts/" + post + "/" + phone.Must(200, "GET", "/api/collections/posts/records/"+post, nil).Body["photos"].([]any)[0].(string)
			fileTokens := map[string]string{}
			for name, c := range map[string]*hookstest.Client{"laptop": laptop, "phone": phone} {
				c.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken(name)})
				fileTokens[name] = c.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
			}
			s.RunJobs()
			phone.Must(200, "GET", photo+"?token="+fileTokens["phone"], nil)
			streams := []*hookstest.Stream{phone.Listen("notifications/*"), phone.Listen("posts/" + post), phone.Listen("likes/*")}
			laptops := laptop.Listen("notifications/*")

			end(s, laptop, phone, currentSession(t, phone))

			for _, stream := range streams {
				stream.AwaitEnd()
			}
			phone.Must(404, "GET", photo+"?token="+fileTokens["phone"], nil)
			phone.Must(404, "GET", photo+"?thumb=800x0&token="+fileTokens["phone"], nil)
			laptop.Must(200, "GET", photo+"?token="+fileTokens["laptop"], nil)
			if all, laptops := s.Rows("devices", "true"), s.Rows("devices", "endpoint = '"+apnsToken("laptop")+"'"); all != 1 || laptops != 1 {
				t.Errorf("%d push devices are left, %d of the laptop, want that one", all, laptops)
			}
			if all := sessionsOf(laptop); len(all) != 1 {
				t.Errorf("the laptop sees %v", all)
			}
			s.As("bob").Like(laptop.Post("hello"))
			laptops.Next()
		})
	}
}

// TestAnEndedSessionIsAGuestAtEveryDoor asks every route of the description of the API, which has each of PocketBase's
// and ours, with the token of an ended session, on both paths: the answer is a guest's, byte for byte.
func TestAnEndedSessionIsAGuestAtEveryDoor(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, other := signInOn(s, "ada", firefox), signInOn(s, "ada", iPhone)
	post := ada.Post("hello")
	like := s.As("bob").Like(post)
	mine := ada.Like(post)
	ids := map[string]string{"posts": post, "likes": mine, "users": ada.ID, "settings": ada.List("settings", "")[0]["id"].(string)}
	ada.Must(200, "GET", "/api/collections/posts/records?perPage=5", nil) // its token is known to the fast path
	fileToken := ada.Must(200, "POST", "/api/files/token", nil).Body["token"].(string)
	other.Must(204, "DELETE", "/api/v1/sessions/"+currentSession(t, ada), nil)
	guest := s.Guest()
	doors, varying := describedDoors(t, s), []string{"/metrics", "/api/v1/config", "/api/collections/users/request-otp"} // whose bodies differ each time
	if len(doors) < 60 {
		t.Fatalf("%d doors are described", len(doors))
	}
	for _, door := range doors {
		method, path, _ := strings.Cut(door, " ")
		name := strings.Split(strings.TrimPrefix(path, "/api/collections/"), "/")[0]
		id := ids[name]
		if id == "" {
			id = like
		}
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + id + after
		}
		if path == "/api/realtime" && method == "GET" {
			continue // nobody is anybody there before they subscribe
		}
		var body any
		if method != "GET" {
			body = jsonObject{"post": post, "text": "hi", "requests": []any{jsonObject{"method": "POST", "url": "/api/collections/likes/records", "body": jsonObject{"post": post}}}}
		}
		for _, query := range []string{"", "?token=" + fileToken} {
			got, want := ada.Do(method, path+query, body), guest.Do(method, path+query, body)
			if got.Status != want.Status || got.Raw != want.Raw && !slices.Contains(varying, path) {
				t.Errorf("%s: %d %.200s, a guest gets %d %.200s", door, got.Status, got.Raw, want.Status, want.Raw)
			}
		}
	}
	if n := s.Rows("likes", "true"); n != 2 {
		t.Errorf("%d likes, want 2", n)
	}
}

// describedDoors returns all methods and paths of the description of the API.
func describedDoors(t *testing.T, s *hookstest.Service) []string {
	t.Helper()
	var description struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(s.Guest().Must(200, "GET", documentPath, nil).Raw), &description); err != nil {
		t.Fatal(err)
	}
	var doors []string
	for path, methods := range description.Paths {
		for method := range methods {
			if method != "parameters" {
				doors = append(doors, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(doors)
	return doors
}

func TestNobodyEndsAnothersSession(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, mallory := signInOn(s, "ada", firefox), signInOn(s, "mallory", firefox)
	id := currentSession(t, ada)
	got := mallory.Must(404, "DELETE", "/api/v1/sessions/"+id, nil)
	if want := mallory.Must(404, "DELETE", "/api/v1/sessions/nosuchsession00", nil); got.Raw != want.Raw {
		t.Errorf("of ada's session she hears %s, of none %s", got.Raw, want.Raw)
	}
	for _, c := range []*hookstest.Client{mallory, ada, s.Guest()} {
		if a := c.Do("GET", "/api/collections/account_sessions/records", nil); a.Status != 403 {
			t.Errorf("%s reads the rows: %d %s", c.Name, a.Status, a.Raw)
		}
	}
	if a := mallory.Do("GET", "/api/v1/sessions?user="+ada.ID, nil); len(a.Items()) != 1 || strings.Contains(a.Raw, id) {
		t.Errorf("mallory sees %s", a.Raw)
	}
	if a := ada.Do("POST", "/api/collections/devices/records", jsonObject{"kind": "apns", "endpoint": apnsToken("x"), "session": currentSession(t, mallory)}); strings.Contains(a.Raw, "session") {
		t.Errorf("a device shows its session: %s", a.Raw)
	}
	if n := s.Rows("devices", "session = '"+currentSession(t, mallory)+"'"); n != 0 {
		t.Error("ada's device hangs on mallory's session")
	}
	ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
}

func TestAnEndedSessionStaysEndedAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ada, other *hookstest.Client
	t.Run("before", func(t *testing.T) {
		copied := hookstest.New(t)
		ada, other = signInOn(copied, "ada", firefox), signInOn(copied, "ada", iPhone)
		other.Must(204, "DELETE", "/api/v1/sessions/"+currentSession(t, ada), nil)
		copyDataDir(t, copied, dir)
	})
	s := hookstest.Open(t, dir)
	again := func(c *hookstest.Client) *hookstest.Client {
		g := s.Guest()
		g.Token = c.Token
		return g
	}
	again(ada).Must(401, "POST", "/api/collections/users/auth-refresh", nil)
	again(other).Must(200, "POST", "/api/collections/users/auth-refresh", nil)
}

// TestALikeMeetsTheEndOfItsSession ends a session while a like of it waits for the writer.
func TestALikeMeetsTheEndOfItsSession(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	post := s.As("bob").Post("hello")
	for n := range 20 {
		ada, other := signInOn(s, "ada", firefox), signInOn(s, "ada", iPhone)
		id := currentSession(t, ada)
		var answers [2]hookstest.Answer
		var both sync.WaitGroup
		both.Go(func() { answers[0] = ada.Do("POST", "/api/collections/likes/records", jsonObject{"post": post}) })
		both.Go(func() { answers[1] = other.Do("DELETE", "/api/v1/sessions/"+id, nil) })
		both.Wait()
		if answers[1].Status != 204 || !slices.Contains([]int{200, 400, 401}, answers[0].Status) {
			t.Fatalf("round %d: the like is answered %d %s, the end %d %s", n, answers[0].Status, answers[0].Raw, answers[1].Status, answers[1].Raw)
		}
		if stored := s.Rows("likes", "user = '"+ada.ID+"'") == 1; stored != (answers[0].Status == 200) {
			t.Fatalf("round %d: answered %d, and stored is %v", n, answers[0].Status, stored)
		}
		after := ada.Do("POST", "/api/collections/likes/records", jsonObject{"post": post})
		if want := s.Guest().Do("POST", "/api/collections/likes/records", jsonObject{"post": post}); after.Status != want.Status || after.Raw != want.Raw {
			t.Fatalf("round %d: afterwards %d %s, a guest gets %d %s", n, after.Status, after.Raw, want.Status, want.Raw)
		}
		execSQL(t, s.App, "DELETE FROM likes")
	}
}

// TestAWriteThatWaitedFindsItsSessionEnded has the end of a session hold the writer while a like, on either path, and a
// comment of it wait.
func TestAWriteThatWaitedFindsItsSessionEnded(t *testing.T) {
	t.Parallel()
	for what, write := range map[string]func(ada *hookstest.Client, post, like string) hookstest.Answer{
		"like": func(ada *hookstest.Client, post, _ string) hookstest.Answer {
			return ada.Do("POST", "/api/collections/likes/records", jsonObject{"post": post})
		},
		"unlike": func(ada *hookstest.Client, _, like string) hookstest.Answer {
			return ada.Do("DELETE", "/api/collections/likes/records/"+like, nil)
		},
		"comment": func(ada *hookstest.Client, post, _ string) hookstest.Answer {
			return ada.Do("POST", "/api/collections/comments/records", jsonObject{"post": post, "text": "hi"})
		},
		"device": func(ada *hookstest.Client, _, _ string) hookstest.Answer {
			return ada.Do("POST", "/api/collections/devices/records", jsonObject{"kind": "apns", "endpoint": apnsToken("late")})
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if what == "unlike" && os.Getenv("DOUBLETAP_FASTPATH") == "off" {
				t.Skip("PocketBase asks a delete's rule once, before it waits")
			}
			s := hookstest.New(t)
			post, liked := s.As("bob").Post("hello"), s.As("bob").Post("liked before")
			ada := signInOn(s, "ada", firefox)
			like := ada.Like(liked)
			id := currentSession(t, ada)
			var answer hookstest.Answer
			var waiting sync.WaitGroup
			err := s.App.RunInTransaction(func(tx core.App) error {
				before := writerWaits(t, s)
				waiting.Go(func() { answer = write(ada, post, like) })
				for writerWaits(t, s) == before { // it has the token of a session by then
					runtime.Gosched()
				}
				row, err := tx.FindRecordById("account_sessions", id)
				if err != nil {
					return err
				}
				return tx.Delete(row)
			})
			if err != nil {
				t.Fatal(err)
			}
			waiting.Wait()
			if answer.Status != 400 && answer.Status != 404 && answer.Status != 401 {
				t.Errorf("answered %d %s", answer.Status, answer.Raw)
			}
			if n := s.Rows("likes", "post = '"+post+"'") + s.Rows("comments", "true") + s.Rows("devices", "true"); n != 0 {
				t.Errorf("%d rows are stored of a session that has ended", n)
			}
			if what == "unlike" && s.Rows("likes", "id = '"+like+"'") != 1 {
				t.Error("the like is gone")
			}
		})
	}
}

// writerWaits returns how often somebody had to wait for the connection that writes.
func writerWaits(t *testing.T, s *hookstest.Service) int64 {
	t.Helper()
	pool, ok := s.App.NonconcurrentDB().(*dbx.DB)
	if !ok {
		t.Fatalf("the writer is a %T", s.App.NonconcurrentDB())
	}
	return pool.DB().Stats().WaitCount
}

func TestARolledBackEndEndsNothing(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada := signInOn(s, "ada", firefox)
	post := s.As("bob").Post("hello")
	stream := ada.Listen("notifications/*")
	err := s.App.RunInTransaction(func(tx core.App) error {
		row, err := tx.FindRecordById("account_sessions", currentSession(t, ada))
		if err == nil {
			err = tx.Delete(row)
		}
		if err != nil {
			t.Error(err)
		}
		return context.Canceled
	})
	if err == nil {
		t.Fatal("committed")
	}
	ada.Like(post)
	s.As("bob").Like(ada.Post("hello"))
	stream.Next()
}

func TestTheTokenKeyEndsAllSessions(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada, bob := signInOn(s, "ada", firefox), signInOn(s, "bob", firefox)
	signInOn(s, "ada", iPhone)
	ada.Must(204, "POST", "/api/v1/logout-everywhere", nil)
	if all := s.Rows("account_sessions", "true"); all != 1 {
		t.Errorf("%d sessions, want bob's", all)
	}
	s.Advance(time.Second)
	s.Admin().Must(200, "PATCH", "/api/collections/users", jsonObject{"authToken": jsonObject{"secret": strings.Repeat("new", 17)}})
	bob.Must(401, "GET", "/api/v1/sessions", nil)
	signInOn(s, "bob", firefox)
	s.RunJobs()
	if all := s.Rows("account_sessions", "true"); all != 1 {
		t.Errorf("%d sessions, want the one after the new secret", all)
	}
}

func TestSessionsEndByTime(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	day := 24 * time.Hour
	idle, busy := signInOn(s, "ada", firefox), signInOn(s, "ada", iPhone)
	impersonated := s.As("ada")
	impersonated.Token = s.Admin().Must(200, "POST", "/api/collections/users/impersonate/"+idle.ID, jsonObject{"duration": 40 * 24 * 3600}).Body["token"].(string)
	idle.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken("idle")})
	idle.Must(200, "GET", "/api/collections/posts/records?perPage=5", nil)
	use := func() { // as a request and the next save do, which would take as long as the token lasts
		execSQL(t, s.App, "UPDATE account_sessions SET lastSeen = '"+clock.Timestamp(s.App)+"' WHERE id = '"+session.ClaimOf(busy.Token)+"'")
	}
	for range 6 {
		s.Advance(13 * day)
		use()
		if s.Rows("account_sessions", "true") == 3 {
			s.Advance(2 * day)
			idle.Must(401, "GET", "/api/v1/sessions", nil)
			if a, want := idle.Do("GET", "/api/collections/posts/records?perPage=5", nil), s.Guest().Do("GET", "/api/collections/posts/records?perPage=5", nil); a.Raw != want.Raw {
				t.Errorf("the fast path reads for a session that has ended: %s", a.Raw)
			}
			impersonated.Must(200, "GET", "/api/v1/sessions", nil)
			runRetention(t, s)
			if n := s.Rows("account_sessions", "true"); n != 2 {
				t.Errorf("%d rows are left, want the busy and the impersonated one", n)
			}
			if n := s.Rows("devices", "session = ''"); n != 1 {
				t.Error("the push device of who did not open the app for two weeks is gone")
			}
		}
		busy.Must(200, "GET", "/api/v1/sessions", nil)
	}
	s.Advance(13 * day) // 93 days in all
	use()
	busy.Must(401, "GET", "/api/v1/sessions", nil)
	runRetention(t, s)
	if n := s.Rows("account_sessions", "true"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestTooManySessionsEndTheOldest(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	first := signInOn(s, "ada", firefox)
	for n := range session.MaxSessions - 1 {
		s.Advance(time.Minute)
		execSQL(t, s.App, fmt.Sprintf("INSERT INTO account_sessions (id, user, lastSeen, ends, created, updated) SELECT 'made%011d', user, '%s', ends, created, updated FROM account_sessions LIMIT 1", n, clock.Timestamp(s.App)))
	}
	first.Must(200, "GET", "/api/v1/sessions", nil)
	s.Advance(time.Minute)
	last := signInOn(s, "ada", firefox)
	first.Must(401, "GET", "/api/v1/sessions", nil)
	if all := sessionsOf(last); len(all) != session.MaxSessions {
		t.Errorf("%d sessions, want %d", len(all), session.MaxSessions)
	}
}

// TestUseOfASessionIsStoredBesideRequests: no GET writes.
func TestUseOfASessionIsStoredBesideRequests(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	ada := signInOn(s, "ada", firefox)
	before := s.Rows("account_sessions", "lastSeen = created")
	s.Advance(time.Hour)
	shown := sessionsOf(ada)[0]
	if shown["lastSeen"] == shown["created"] {
		t.Errorf("she does not see that it is used: %v", shown)
	}
	if after := s.Rows("account_sessions", "lastSeen = created"); before != 1 || after != 1 {
		t.Errorf("a GET has written")
	}
}

// TestARefreshUnderWayMeetsTheEndOfItsSession ends a session whose refresh has been admitted and waits for its body.
func TestARefreshUnderWayMeetsTheEndOfItsSession(t *testing.T) {
	t.Parallel()
	admitted := make(chan struct{}, 1)
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			// before anybody reads the body
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Priority: apis.DefaultLoadAuthTokenMiddlewarePriority + 2, Func: func(e *core.RequestEvent) error {
				if e.Request.Header.Get("X-Slow") != "" && e.Auth != nil {
					admitted <- struct{}{}
				}
				return e.Next()
			}})
			return e.Next()
		})
	})
	thief, owner := signInOn(s, "ada", firefox), signInOn(s, "ada", iPhone)
	answered, body := startSlowRefresh(t, s, thief)
	<-admitted
	owner.Must(204, "DELETE", "/api/v1/sessions/"+currentSession(t, thief), nil)
	if err := finishBody(body, "}"); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != 401 {
		t.Errorf("a refresh whose session ended meanwhile is answered %d, want 401", status)
	}
	if n := s.Rows("account_sessions", "true"); n != 1 {
		t.Errorf("%d sessions, want the owner's", n)
	}
}

func TestATokenOfBeforeHasOneSession(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, phone := s.As("ada"), signInOn(s, "ada", iPhone)
	var tokens []string
	for range 3 { // as a program does that refreshes at each start and keeps its first token
		tokens = append(tokens, ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil).Body["token"].(string))
	}
	if n := s.Rows("account_sessions", "true"); n != 2 {
		t.Errorf("%d sessions, want the phone's and one", n)
	}
	for _, token := range tokens {
		if id := session.ClaimOf(token); id != session.IDOfToken(ada.Token) {
			t.Errorf("a refresh is in session %s", id)
		}
	}
	phone.Must(204, "DELETE", "/api/v1/sessions/"+session.ClaimOf(tokens[0]), nil)
	refreshed := s.Guest()
	refreshed.Token = tokens[2]
	refreshed.Must(401, "GET", "/api/v1/sessions", nil)
	ada.Must(204, "POST", "/api/v1/logout-everywhere", nil)
	ada.Must(401, "POST", "/api/collections/users/auth-refresh", nil)
}

func TestASessionThatASuperuserChangesIsAskedAnew(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := signInOn(s, "ada", firefox)
	page := "/api/collections/posts/records?perPage=5"
	ada.Post("mine alone", "visibility", "private")
	if items := ada.Must(200, "GET", page, nil).Items(); len(items) != 1 { // its token is known to the fast path
		t.Fatalf("ada reads %v", items)
	}
	stream := ada.Listen("notifications/*")
	s.Admin().Must(200, "PATCH", "/api/collections/account_sessions/records/"+currentSession(t, ada), jsonObject{"ends": "2020-01-01 00:00:00.000Z"})
	stream.AwaitEnd()
	if items := ada.Must(200, "GET", page, nil).Items(); len(items) != 0 {
		t.Errorf("after its end ada reads %v", items)
	}
}

// startSlowRefresh begins a refresh whose body is not whole yet. The status of its answer comes by the channel.
func startSlowRefresh(t *testing.T, s *hookstest.Service, c *hookstest.Client) (<-chan int, *io.PipeWriter) {
	t.Helper()
	sent, body := io.Pipe()
	request, err := http.NewRequest("POST", s.URL+"/api/collections/users/auth-refresh", sent)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Authorization": c.Token, "X-Slow": "yes"} {
		request.Header.Set(name, value)
	}
	answered := make(chan int, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			close(answered)
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	if _, err := io.WriteString(body, "{"); err != nil {
		t.Fatal(err)
	}
	return answered, body
}

func finishBody(body *io.PipeWriter, rest string) error {
	_, err := io.WriteString(body, rest)
	return errors.Join(err, body.Close())
}

func TestAStaticTokenIsNotRenewed(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	token, err := s.User("ada").NewStaticAuthToken(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ada.Token = token
	if got := ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil).Body["token"]; got != token {
		t.Errorf("a refresh of a static token gives another one")
	}
	ada.Token = s.Admin().Must(200, "POST", "/api/collections/users/impersonate/"+ada.ID, nil).Body["token"].(string)
	if got := ada.Must(200, "POST", "/api/collections/users/auth-refresh", nil).Body["token"]; got != ada.Token {
		t.Errorf("a refresh of an impersonation's token gives another one")
	}
	if n := s.Rows("account_sessions", "true"); n != 1 {
		t.Errorf("%d sessions, want the impersonation", n)
	}
}
