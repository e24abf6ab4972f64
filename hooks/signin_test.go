package hooks_test

import (
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// A person who deletes an account has signed in a moment ago, or gives the password.
func TestDeletingAnAccountAsksForAFreshSignIn(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	record := func(c *hookstest.Client) string { return "/api/collections/users/records/" + c.ID }
	signIn := func(t *testing.T, s *hookstest.Service) *hookstest.Client {
		ada := s.As("ada")
		ada.Token = s.Guest().Must(200, "POST", "/api/collections/users/auth-with-password", jsonObject{"identity": "ada", "password": hookstest.Password}).Body["token"].(string)
		return ada
	}
	refresh := func(c *hookstest.Client) {
		c.Token = c.Must(200, "POST", "/api/collections/users/auth-refresh", nil).Body["token"].(string)
	}
	inBatch := func(c *hookstest.Client, body any) hookstest.Answer {
		return c.Do("POST", "/api/batch", jsonObject{"requests": []any{jsonObject{"method": "DELETE", "url": record(c), "body": body}}})
	}
	const fresh, late = time.Minute, 16 * time.Minute
	for what, c := range map[string]struct {
		ask  func(t *testing.T, s *hookstest.Service) int
		want int
	}{
		"who has just signed in": {func(t *testing.T, s *hookstest.Service) int {
			return signIn(t, s).Do("DELETE", record(s.As("ada")), nil).Status
		}, 204},
		"who signed in a moment ago and refreshed": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(fresh)
			refresh(ada)
			return ada.Do("DELETE", record(ada), nil).Status
		}, 204},
		"who signed in long ago": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(late)
			return ada.Do("DELETE", record(ada), nil).Status
		}, 400},
		"who signed in long ago and refreshed": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(late)
			refresh(ada)
			return ada.Do("DELETE", record(ada), nil).Status
		}, 400},
		"who signed in long ago and gives the password": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(late)
			return ada.Do("DELETE", record(ada), jsonObject{"password": hookstest.Password}).Status
		}, 204},
		"who gives another password": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(late)
			return ada.Do("DELETE", record(ada), jsonObject{"password": "battery staple"}).Status
		}, 400},
		"whose token Go code made": {func(t *testing.T, s *hookstest.Service) int {
			ada := s.As("ada")
			token, err := s.User("ada").NewAuthToken()
			if err != nil {
				t.Fatal(err)
			}
			ada.Token = token
			return ada.Do("DELETE", record(ada), nil).Status
		}, 400},
		"a superuser who pretends to be her": {func(t *testing.T, s *hookstest.Service) int {
			ada := s.As("ada")
			ada.Token = s.Admin().Must(200, "POST", "/api/collections/users/impersonate/"+ada.ID, nil).Body["token"].(string)
			return ada.Do("DELETE", record(ada), nil).Status
		}, 400},
		"a superuser": {func(t *testing.T, s *hookstest.Service) int {
			return s.Admin().Do("DELETE", record(s.As("ada")), nil).Status
		}, 204},
		"a stranger who has just signed in": {func(t *testing.T, s *hookstest.Service) int {
			return s.As("bob").Do("DELETE", record(s.As("ada")), jsonObject{"password": hookstest.Password}).Status
		}, 404},
		"a batch of who signed in long ago": {func(t *testing.T, s *hookstest.Service) int {
			ada := signIn(t, s)
			s.Advance(late)
			return inBatch(ada, jsonObject{"password": hookstest.Password}).Status
		}, 400},
		"with a provider's word alone, long ago": {func(t *testing.T, s *hookstest.Service) int {
			zoe := signUpByProvider(t, s)
			s.Advance(late)
			return zoe.Do("DELETE", record(zoe), nil).Status
		}, 400},
		"with a provider's word alone": {func(t *testing.T, s *hookstest.Service) int {
			zoe := signUpByProvider(t, s)
			return zoe.Do("DELETE", record(zoe), nil).Status
		}, 204},
	} {
		t.Run(what, func(t *testing.T) {
			s := hookstest.New(t)
			if got := c.ask(t, s); got != c.want {
				t.Errorf("answered %d, want %d", got, c.want)
			}
			if n := s.Rows("users", "state = 'deleting'"); n != map[bool]int{true: 1}[c.want == 204] {
				t.Errorf("%d accounts are being deleted", n)
			}
		})
	}
}

// signUpByProvider signs somebody in who has no password.
func signUpByProvider(t *testing.T, s *hookstest.Service) *hookstest.Client {
	t.Helper()
	a := newOAuthProvider(t, s, false).signInClient(s.Guest(), newClaims("1", "zoe"), nil)
	zoe := s.Guest()
	zoe.Name, zoe.ID = "zoe", accountIDOf(a)
	zoe.Token, _ = a.Body["token"].(string)
	return zoe
}

// A refusal names the field, so that a client can ask for what is missing.
func TestARefusedDeletionSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	s.Advance(time.Hour)
	for body, code := range map[string]string{"": "validation_required", `{"password":"x"}`: "validation_invalid_password"} {
		a := ada.Must(400, "DELETE", "/api/collections/users/records/"+ada.ID, body)
		data, _ := a.Body["data"].(map[string]any)
		field, _ := data["password"].(map[string]any)
		if field["code"] != code {
			t.Errorf("body %q is answered %s, want %s", body, a.Raw, code)
		}
	}
}
