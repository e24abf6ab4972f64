package hooks_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

func TestOAuth2SignUp(t *testing.T) {
	testenv.SkipSequential(t)
	for name, tokenOnly := range map[string]bool{"what userinfo tells": false, "what a signed id_token tells": true} {
		t.Run("makes an active member of "+name, func(t *testing.T) {
			var seen, committed int
			s := hookstest.New(t, func(app core.App, social *hooks.Social) {
				social.OnSignup().BindFunc(func(e *hooks.AccountEvent) error {
					if err := e.Next(); err != nil {
						return err
					}
					const settings = "SELECT count(*) FROM settings WHERE user = {:u}"
					user := map[string]any{"u": e.User.Id}
					return errors.Join(
						e.App.DB().NewQuery(settings).Bind(user).Row(&seen),
						app.ConcurrentDB().NewQuery(settings).Bind(user).Row(&committed))
				})
			})
			p := newOAuthProvider(t, s, tokenOnly)
			a := p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "Zoe.Miller", "name": "Zoe", "email": "zoe@example.net", "email_verified": true}, nil)
			if a.Status != 200 || metaOf(a)["isNew"] != true {
				t.Fatalf("zoe is answered %d %s", a.Status, a.Raw)
			}
			zoe := s.User("zoe_miller")
			if zoe.Id != accountIDOf(a) || zoe.GetString("state") != "active" || zoe.GetString("role") != "member" ||
				zoe.GetString("name") != "Zoe" || zoe.Email() != "zoe@example.net" || !zoe.Verified() {
				t.Errorf("zoe is %v", zoe.PublicExport())
			}
			if seen != 1 || committed != 0 {
				t.Errorf("%d settings in the sign-up's transaction and %d outside, want 1 and none yet", seen, committed)
			}
			if n := s.Rows("settings", "user = {:u}", map[string]any{"u": zoe.Id}); n != 1 {
				t.Errorf("%d settings rows, want 1", n)
			}
			s.As("zoe_miller").Like(s.As("ada").Post("hello"))
			s.ExpectTray("ada", hookstest.Notification{Type: "like", Actors: 1})
		})
	}

	t.Run("fetches the avatar before the transaction", func(t *testing.T) {
		t.Setenv("DOUBLETAP_LOOPBACK", "on")
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		post, bob := s.As("ada").Post("hello"), s.As("bob")
		photo := string(hookstest.Photo())
		strange := map[string]string{
			"svg.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>`, "photo.svg": photo[:len(photo)/2],
			"broken.jpg": photo[:20] + strings.Repeat("x", 500), "empty.png": "", "page": "<!doctype html><p>Sign in to see it", "bomb.png": "\x89PNG\r\n\x1a\n" + strings.Repeat("\xff", 99),
		}
		pictures := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/zoe" {
				http.Redirect(w, r, "/zoe.jpg", http.StatusFound)
				return
			}
			if content, ok := strange[strings.TrimPrefix(r.URL.Path, "/strange/")]; ok {
				_, _ = io.WriteString(w, content)
				return
			}
			bob.Like(post) // would wait for a transaction that waits for the picture
			_, _ = w.Write(hookstest.Photo())
		}))
		defer pictures.Close()
		zoe := newClaims("1", "zoe")
		zoe["picture"] = pictures.URL + "/zoe"
		if a := p.signInClient(s.Guest(), zoe, nil); a.Status != 200 || !strings.HasSuffix(s.User("zoe").GetString("avatar"), ".jpg") {
			t.Errorf("zoe is answered %d and has the avatar %q", a.Status, s.User("zoe").GetString("avatar"))
		}
		if s.Rows("likes", "true") != 1 {
			t.Error("bob's like is not stored")
		}
		max := newClaims("2", "max_2")
		max["picture"] = pictures.URL[:strings.LastIndex(pictures.URL, ":")] + ":1/nobody.jpg"
		if a := p.signInClient(s.Guest(), max, nil); a.Status != 200 || s.User("max_2").GetString("avatar") != "" {
			t.Errorf("max, whose picture cannot be had, is answered %d %s", a.Status, a.Raw)
		}
		for name := range strange {
			handle := "with_" + strings.NewReplacer(".", "_").Replace(name)
			who := newClaims(handle, handle)
			who["picture"] = pictures.URL + "/strange/" + name
			if a := p.signInClient(s.Guest(), who, nil); a.Status != 200 || name != "photo.svg" && s.User(handle).GetString("avatar") != "" {
				t.Errorf("who has %s as a picture is answered %d %s", name, a.Status, a.Raw)
			}
		}
	})

	t.Run("believes no id_token that somebody else signed", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, true)
		var err error
		if p.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 400 {
			t.Errorf("a forged token is answered %d %s", a.Status, a.Raw)
		}
		expectOnlyCast(t, s)
	})

	t.Run("derives a handle that is free from the name there", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		for i, who := range []struct{ username, name, want string }{
			{"Leo", "", `^leo$`},
			{"josé", "", `^jose$`},
			{"Łukasz Müller-Weiß", "", `^lukasz_muller_weiss$`}, {"Đặng Þór", "", `^dang_thor$`},
			{"ＷＩＤＥ", "", `^wide$`},
			{"mia m-8", "", `^mia_m_8$`},
			{"..dots..", "", `^dots$`},
			{strings.Repeat("long", 10), "", `^(long){5}$`},
			{"", "Kim Lee", `^kim_lee$`},
			{"ada", "", `^ada_[a-z2-7]{6}$`},
			{"ADA", "", `^ada_[a-z2-7]{6}$`},
			{"admin", "", `^admin_[a-z2-7]{6}$`},
			{"user", "", `^user_[a-z2-7]{6}$`},
			{"Ада", "", `^user_[a-z2-7]{6}$`},
			{"二", "二", `^user_[a-z2-7]{6}$`},
			{"zo", "", `^user_[a-z2-7]{6}$`},
			{"", "", `^user_[a-z2-7]{6}$`},
		} {
			c := newClaims(string(rune('a'+i)), who.username)
			c["name"] = who.name
			a := p.signInClient(s.Guest(), c, nil)
			if a.Status != 200 || !regexp.MustCompile(who.want).MatchString(handleOf(a)) {
				t.Errorf("%q, %q: %d, handle %q, want %s: %s", who.username, who.name, a.Status, handleOf(a), who.want, a.Raw)
			}
		}
	})

	t.Run("derives one also where the owner mapped the name there to the handle", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		users, err := s.App.FindCollectionByNameOrId("users")
		if err != nil {
			t.Fatal(err)
		}
		gone := s.As("bob")
		gone.Delete("users", gone.ID)
		s.RunJobs()
		sub := 0
		for _, mapped := range []string{"username", "name", "id"} {
			users.OAuth2.MappedFields = core.OAuth2KnownFields{}
			switch mapped {
			case "username":
				users.OAuth2.MappedFields.Username = "handle"
			case "name":
				users.OAuth2.MappedFields.Name = "handle"
			case "id":
				users.OAuth2.MappedFields.Id = "handle"
			}
			if err := s.App.Save(users); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]string{"ada": `^ada_[a-z2-7]{6}$`, "bob": `^bob_[a-z2-7]{6}$`, "staff": `^staff_[a-z2-7]{6}$`, "Has Space": `^has_space`, "free." + mapped: `^free_` + mapped + `$`} {
				sub++
				who := newClaims(fmt.Sprint("mapped", sub), name)
				who["name"] = name
				a := p.signInClient(s.Guest(), who, nil)
				if a.Status != 200 || !regexp.MustCompile(want).MatchString(handleOf(a)) {
					t.Errorf("%s %q: %d, handle %q, want %s: %s", mapped, name, a.Status, handleOf(a), want, a.Raw)
				}
			}
		}
	})

	t.Run("without an address says what to do, and takes one that the person gives", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		for what, who := range map[string]idClaims{
			"no address":          {"sub": "1", "preferred_username": "zoe"},
			"one not verified":    {"sub": "1", "preferred_username": "zoe", "email": "zoe@example.net", "email_verified": false},
			"one that is a blank": {"sub": "1", "preferred_username": "zoe", "email": " ", "email_verified": true},
		} {
			a := p.signInClient(s.Guest(), who, nil)
			data, _ := a.Body["data"].(map[string]any)
			email, _ := data["email"].(map[string]any)
			message, _ := email["message"].(string)
			if a.Status != 400 || email["code"] != "validation_email_missing" || !strings.Contains(message, "createData.email") {
				t.Errorf("%s: %d %s", what, a.Status, a.Raw)
			}
		}
		expectOnlyCast(t, s)
		a := p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "zoe"}, map[string]any{"email": "Zoe@example.net"})
		if zoe := s.Record("users", accountIDOf(a)); a.Status != 200 || zoe.Email() != "zoe@example.net" || zoe.Verified() || zoe.GetString("handle") != "zoe" {
			t.Errorf("with an address: %d %s", a.Status, a.Raw)
		}
		if a := p.signInClient(s.Guest(), idClaims{"sub": "1", "preferred_username": "zoe"}, nil); a.Status != 200 || metaOf(a)["isNew"] != false {
			t.Errorf("a second time: %d %s", a.Status, a.Raw)
		}
		if a := p.signInClient(s.Guest(), idClaims{"sub": "2", "preferred_username": "eve2"}, map[string]any{"email": "ADA@example.com"}); a.Status != 400 {
			t.Errorf("with ada's address: %d %s", a.Status, a.Raw)
		}
	})

	t.Run("gives two people of one name two handles", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		one, two := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil), p.signInClient(s.Guest(), newClaims("2", "zoe"), nil)
		if one.Status != 200 || two.Status != 200 || accountIDOf(one) == accountIDOf(two) || handleOf(one) != "zoe" || !strings.HasPrefix(handleOf(two), "zoe_") {
			t.Errorf("they are answered\n%d %s\n%d %s", one.Status, one.Raw, two.Status, two.Raw)
		}
		if n := s.Rows("settings", "1"); n != len(hookstest.Cast)+2 {
			t.Errorf("%d settings, want the cast's and theirs", n)
		}
	})

	t.Run("lets nobody choose what the service decides", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		a := p.signInClient(s.Guest(), newClaims("1", "zoe"), map[string]any{
			"handle": "Zed", "bio": "hello", "state": "suspended", "role": "moderator",
			"followersCount": 99, "followingCount+": 99, "postsCount": 99,
		})
		if a.Status != 200 {
			t.Fatal(a.Raw)
		}
		zoe := s.Record("users", accountIDOf(a))
		if zoe.GetString("handle") != "zed" || zoe.GetString("bio") != "hello" {
			t.Errorf("zoe did not get what is hers to choose: %v", zoe.PublicExport())
		}
		if zoe.GetString("state") != "active" || zoe.GetString("role") != "member" ||
			zoe.GetInt("followersCount") != 0 || zoe.GetInt("followingCount") != 0 || zoe.GetInt("postsCount") != 0 {
			t.Errorf("zoe is %v", zoe.PublicExport())
		}
	})

	t.Run("refuses a chosen handle that is taken, reserved or malformed", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		for _, chosen := range []string{"ada", "ADA", "admin", "has space"} {
			a := p.signInClient(s.Guest(), newClaims("1", "zoe"), map[string]any{"handle": chosen})
			data, _ := a.Body["data"].(map[string]any)
			if a.Status != 400 || data["handle"] == nil {
				t.Errorf("handle %q: %d %s", chosen, a.Status, a.Raw)
			}
		}
		expectOnlyCast(t, s)
	})

	t.Run("that the owner vetoes leaves nobody behind", func(t *testing.T) {
		veto := true
		s := hookstest.New(t, func(_ core.App, social *hooks.Social) {
			social.OnSignup().BindFunc(func(e *hooks.AccountEvent) error {
				if err := e.Next(); err != nil || !veto { // by now the account is stored, with its settings
					return err
				}
				return apis.NewForbiddenError("By invitation only.", nil)
			})
		})
		p := newOAuthProvider(t, s, false)
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 403 || a.Body["message"] != "By invitation only." {
			t.Errorf("zoe is answered %d %s", a.Status, a.Raw)
		}
		if a := signUpUser(s.Guest(), "zoe", nil); a.Status != 403 {
			t.Errorf("zoe, with a password, is answered %d %s", a.Status, a.Raw)
		}
		expectOnlyCast(t, s)
		veto = false
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 200 || handleOf(a) != "zoe" {
			t.Errorf("zoe, invited, is answered %d %s", a.Status, a.Raw)
		}
	})
}

func TestOAuth2LogIn(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Run("a second time is the same account and makes nothing new", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		first := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil)
		again := p.signInClient(s.Guest(), newClaims("1", "renamed"), map[string]any{"handle": "other", "role": "moderator"})
		if again.Status != 200 || accountIDOf(again) != accountIDOf(first) || metaOf(again)["isNew"] != false || handleOf(again) != "zoe" {
			t.Errorf("zoe is answered %d %s", again.Status, again.Raw)
		}
		if zoe := s.User("zoe"); zoe.GetString("role") != "member" {
			t.Error("a login made zoe a moderator")
		}
		n := len(hookstest.Cast) + 1
		if users, settings, links := s.Rows("users", "1"), s.Rows("settings", "1"), s.Rows("_externalAuths", "1"); users != n || settings != n || links != 1 {
			t.Errorf("%d users, %d settings and %d links, want %d, %d and 1", users, settings, links, n, n)
		}
		zoe := s.Guest()
		zoe.Token, _ = again.Body["token"].(string)
		zoe.Must(200, "POST", "/api/collections/users/auth-refresh", nil)
	})

	t.Run("with the address of somebody here is their account", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		c := newClaims("1", "somebody else")
		c["email"] = "ada@example.com"
		if a := p.signInClient(s.Guest(), c, nil); a.Status != 200 || handleOf(a) != "ada" || metaOf(a)["isNew"] != false {
			t.Errorf("ada is answered %d %s", a.Status, a.Raw)
		}
		if n := s.Rows("users", "1"); n != len(hookstest.Cast) {
			t.Errorf("%d users, want the cast", n)
		}
	})

	t.Run("is closed to somebody suspended", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		zoe := accountIDOf(p.signInClient(s.Guest(), newClaims("1", "zoe"), nil))
		s.Admin().Update("users", zoe, map[string]any{"state": "suspended"})
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 403 || a.Body["token"] != nil {
			t.Errorf("zoe, suspended, is answered %d %s", a.Status, a.Raw)
		}
		s.Admin().Update("users", zoe, map[string]any{"state": "active"})
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 200 || accountIDOf(a) != zoe {
			t.Errorf("zoe, active again, is answered %d %s", a.Status, a.Raw)
		}
	})

	t.Run("after an erasure is somebody new under another handle", func(t *testing.T) {
		s := hookstest.New(t)
		p := newOAuthProvider(t, s, false)
		former := accountIDOf(p.signInClient(s.Guest(), newClaims("1", "zoe"), nil))
		zoe := s.As("zoe")
		zoe.Delete("users", zoe.ID)
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 403 {
			t.Errorf("zoe, being erased, is answered %d %s", a.Status, a.Raw)
		}
		s.RunJobs()
		if n := s.Rows("_externalAuths", "1"); n != 0 {
			t.Errorf("%d links are left", n)
		}
		if a := p.signInClient(s.Guest(), newClaims("1", "zoe"), nil); a.Status != 200 || accountIDOf(a) == former || !strings.HasPrefix(handleOf(a), "zoe_") {
			t.Errorf("zoe, come back, is answered %d %s", a.Status, a.Raw)
		}
	})
}

func TestOTP(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	mailed := make(chan struct{}, 10) // by a goroutine of PocketBase's own
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordAfterUpdateSuccess(core.CollectionNameOTPs).BindFunc(func(e *core.RecordEvent) error {
			mailed <- struct{}{} // to whom is written behind the mail
			return e.Next()
		})
	})
	s.Admin().Must(200, "PATCH", "/api/collections/users", map[string]any{"otp": map[string]any{"enabled": true, "duration": 180, "length": 8}})
	logIn := func(email string) hookstest.Answer {
		t.Helper()
		request := s.Guest().Must(200, "POST", "/api/collections/users/request-otp", map[string]any{"email": email})
		select {
		case <-mailed:
		case <-time.After(20 * time.Second):
			t.Fatal("no mail came")
		}
		mails := s.Mails()
		mail := mails[len(mails)-1]
		password := regexp.MustCompile(`\b\d{8}\b`).FindString(mail.HTML)
		if mail.To[0].Address != email || password == "" {
			t.Fatalf("the mail to %v has no password: %s", mail.To, mail.HTML)
		}
		body := map[string]any{"otpId": request.Body["otpId"], "password": password}
		a := s.Guest().Do("POST", "/api/collections/users/auth-with-otp", body)
		if again := s.Guest().Do("POST", "/api/collections/users/auth-with-otp", body); again.Status != 400 {
			t.Errorf("a one-time password works twice: %d %s", again.Status, again.Raw)
		}
		return a
	}

	if a := logIn("ada@example.com"); a.Status != 200 || handleOf(a) != "ada" {
		t.Errorf("ada is answered %d %s", a.Status, a.Raw)
	}
	if a := signUpUser(s.Guest(), "", map[string]any{"email": "zoe@example.net", "name": "Zoe Miller"}); a.Status != 200 {
		t.Fatal(a.Raw)
	}
	if a := logIn("zoe@example.net"); a.Status != 200 || handleOf(a) != "zoe_miller" {
		t.Errorf("zoe is answered %d %s", a.Status, a.Raw)
	}
	if zoe := s.User("zoe_miller"); !zoe.Verified() || zoe.GetString("state") != "active" || s.Rows("settings", "user = {:u}", map[string]any{"u": zoe.Id}) != 1 {
		t.Errorf("zoe is %v", zoe.PublicExport())
	}
	s.Admin().Update("users", s.User("ada").Id, map[string]any{"state": "suspended"})
	if a := logIn("ada@example.com"); a.Status != 403 || a.Body["token"] != nil {
		t.Errorf("ada, suspended, is answered %d %s", a.Status, a.Raw)
	}
}

// expectOnlyCast fails if anybody but the cast has an account, settings or a link to a provider.
func expectOnlyCast(t *testing.T, s *hookstest.Service) {
	t.Helper()
	n := len(hookstest.Cast)
	if users, settings, links := s.Rows("users", "1"), s.Rows("settings", "1"), s.Rows("_externalAuths", "1"); users != n || settings != n || links != 0 {
		t.Errorf("%d users, %d settings and %d links to a provider, want %d, %d and none", users, settings, links, n, n)
	}
}

func recordOf(a hookstest.Answer) map[string]any { r, _ := a.Body["record"].(map[string]any); return r }
func metaOf(a hookstest.Answer) map[string]any   { m, _ := a.Body["meta"].(map[string]any); return m }
func accountIDOf(a hookstest.Answer) string      { id, _ := recordOf(a)["id"].(string); return id }
func handleOf(a hookstest.Answer) string         { h, _ := recordOf(a)["handle"].(string); return h }

// idClaims is what a provider says about a person.
type idClaims map[string]any

// newClaims returns the claims of somebody whom the provider knows by a username and whose address it has verified.
func newClaims(sub, username string) idClaims {
	return idClaims{"sub": sub, "preferred_username": username, "email": "person." + sub + "@example.net", "email_verified": true}
}

// oauthProvider is an OpenID Connect provider on loopback that takes everybody for who they say they are.
type oauthProvider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey // signs

	mu     sync.Mutex
	grants map[string]oauthGrant // by code
	tokens map[string]idClaims
}

// oauthGrant is what a code stands for.
type oauthGrant struct {
	who                    idClaims
	redirectURL, challenge string
}

const (
	clientID     = "doubletap"
	clientSecret = "between the two"
	redirectURL  = "http://127.0.0.1/redirect"
)

// providerKey is the key of all providers. It is made once, which takes a second under the race detector.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// newOAuthProvider starts a provider and adds it to the sign-ins of users, either with userinfo or with what the
// id_token alone says.
func newOAuthProvider(t *testing.T, s *hookstest.Service, tokenOnly bool) *oauthProvider {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &oauthProvider{t: t, key: key, grants: map[string]oauthGrant{}, tokens: map[string]idClaims{}}
	published := key.PublicKey
	routes := http.NewServeMux()
	routes.HandleFunc("GET /authorize", p.serveAuthorize)
	routes.HandleFunc("POST /token", p.serveToken)
	routes.HandleFunc("GET /userinfo", p.serveUserInfo)
	routes.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256",
			"n": encodeBase64(published.N.Bytes()), "e": encodeBase64(big.NewInt(int64(published.E)).Bytes()),
		}}})
	})
	p.Server = httptest.NewServer(routes)
	t.Cleanup(p.Close)

	config := core.OAuth2ProviderConfig{
		Name: "oidc", ClientId: clientID, ClientSecret: clientSecret,
		AuthURL: p.URL + "/authorize", TokenURL: p.URL + "/token", UserInfoURL: p.URL + "/userinfo",
	}
	if tokenOnly {
		config.UserInfoURL = ""
		config.Extra = map[string]any{"jwksURL": p.URL + "/jwks", "issuers": []string{p.URL}}
	}
	users, err := s.App.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	users.OAuth2.Enabled, users.OAuth2.Providers = true, []core.OAuth2ProviderConfig{config}
	users.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField).Cost = 4 // hashing takes long
	if err := s.App.Save(users); err != nil {
		t.Fatal("configure the provider:", err)
	}
	return p
}

// signInClient signs in like the JavaScript SDK and its browser: it asks for the providers, visits ours as who, and
// sends the service the code with which it comes back.
func (p *oauthProvider) signInClient(c *hookstest.Client, who idClaims, createData map[string]any) hookstest.Answer {
	p.t.Helper()
	methods := c.Must(200, "GET", "/api/collections/users/auth-methods", nil)
	var listed struct {
		OAuth2 struct {
			Providers []struct{ Name, State, AuthURL, CodeVerifier string }
		}
	}
	if err := json.Unmarshal([]byte(methods.Raw), &listed); err != nil || len(listed.OAuth2.Providers) != 1 {
		p.t.Fatalf("no provider is listed: %s", methods.Raw)
	}
	way := listed.OAuth2.Providers[0]

	self, err := json.Marshal(who)
	if err != nil {
		p.t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(way.AuthURL + url.QueryEscape(redirectURL) + "&who=" + url.QueryEscape(string(self)))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	back, err := response.Location()
	if err != nil || back.Query().Get("state") != way.State {
		p.t.Fatalf("the provider sends back to %v with %v", back, err)
	}

	body := map[string]any{"provider": way.Name, "code": back.Query().Get("code"), "codeVerifier": way.CodeVerifier, "redirectURL": redirectURL}
	if createData != nil {
		body["createData"] = createData
	}
	return c.Do("POST", "/api/collections/users/auth-with-oauth2", body)
}

// serveAuthorize sends the visitor back with a code.
func (p *oauthProvider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	g := oauthGrant{redirectURL: query.Get("redirect_uri"), challenge: query.Get("code_challenge")}
	err := json.Unmarshal([]byte(query.Get("who")), &g.who)
	if err != nil || query.Get("client_id") != clientID || query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256" {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.grants[code] = g
	p.mu.Unlock()
	http.Redirect(w, r, g.redirectURL+"?"+url.Values{"code": {code}, "state": {query.Get("state")}}.Encode(), http.StatusFound)
}

// serveToken accepts a code, once, from the one who asked for it.
func (p *oauthProvider) serveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if secret, _ = url.QueryUnescape(secret); !ok || id != clientID || secret != clientSecret {
		http.Error(w, "invalid_client", http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	g, known := p.grants[r.FormValue("code")]
	delete(p.grants, r.FormValue("code"))
	verified := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || r.FormValue("grant_type") != "authorization_code" || r.FormValue("redirect_uri") != g.redirectURL || encodeBase64(verified[:]) != g.challenge {
		http.Error(w, "invalid_grant", http.StatusBadRequest)
		return
	}
	access := rand.Text()
	p.tokens[access] = g.who
	writeJSON(w, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 600, "id_token": p.signIDToken(g.who)})
}

// signIDToken returns what the provider says about somebody, signed.
func (p *oauthProvider) signIDToken(who idClaims) string {
	now := time.Now().Unix()
	all := idClaims{"iss": p.URL, "aud": clientID, "iat": now, "exp": now + 600}
	for name, claim := range who {
		all[name] = claim
	}
	payload, err := json.Marshal(all)
	if err != nil {
		p.t.Error(err)
	}
	signed := encodeBase64([]byte(`{"alg":"RS256","typ":"JWT","kid":"1"}`)) + "." + encodeBase64(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return signed + "." + encodeBase64(signature)
}

func (p *oauthProvider) serveUserInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, known := p.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known {
		http.Error(w, "invalid_token", http.StatusUnauthorized)
		return
	}
	writeJSON(w, who)
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that went away needs no answer
}

func encodeBase64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
