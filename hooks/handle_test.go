package hooks_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/account"
	"github.com/doubletap/doubletap/internal/testenv"
	"github.com/doubletap/doubletap/pb_public"
)

// expectHandleRefused fails unless the answer refuses the handle with the code, or accepts the handle if the code is
// empty.
func expectHandleRefused(t *testing.T, what string, a hookstest.Answer, code string) {
	t.Helper()
	data, _ := a.Body["data"].(map[string]any)
	at, _ := data["handle"].(map[string]any)
	if code == "" && a.Status != 200 || code != "" && (a.Status != 400 || at["code"] != code) {
		t.Errorf("%s: %d %s, want %q", what, a.Status, a.Raw, code)
	}
}

func TestAHandleGivenUpIsKeptForItsFormerOwner(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	const reserved = "validation_handle_reserved"
	s := hookstest.New(t)
	rename := func(c *hookstest.Client, user, handle string) hookstest.Answer {
		return c.Do("PATCH", "/api/collections/users/records/"+user, map[string]any{"handle": handle})
	}
	ada, bob, admin := s.As("ada"), s.As("bob"), s.Admin()
	expectHandleRefused(t, "ada becomes lovelace", rename(ada, ada.ID, "Lovelace"), "")
	for what, a := range map[string]hookstest.Answer{
		"bob takes ada":              rename(bob, bob.ID, "ada"),
		"bob takes Ada":              rename(bob, bob.ID, "ADA"),
		"somebody signs up as ada":   signUpUser(s.Guest(), "ada", map[string]any{"email": "x@example.com"}),
		"a superuser gives bob ada":  rename(admin, bob.ID, "ada"),
		"a superuser creates an ada": signUpUser(admin, "ada", map[string]any{"email": "x@example.com"}),
	} {
		expectHandleRefused(t, what, a, reserved)
	}
	p := newOAuthProvider(t, s, false)
	if a := p.signInClient(s.Guest(), newClaims("1", "ada"), nil); a.Status != 200 || !regexp.MustCompile(`^ada_[a-z2-7]{6}$`).MatchString(handleOf(a)) {
		t.Errorf("an ada from a provider: %d %s", a.Status, a.Raw)
	}
	expectHandleRefused(t, "ada takes hers back", rename(ada, ada.ID, "ada"), "")
	expectHandleRefused(t, "bob takes lovelace", rename(bob, bob.ID, "lovelace"), reserved)
	expectHandleRefused(t, "ada becomes lovelace again", rename(ada, ada.ID, "lovelace"), "")

	s.Advance(30*24*time.Hour - time.Minute)
	expectHandleRefused(t, "bob takes ada too early", rename(s.As("bob"), bob.ID, "ada"), reserved)
	s.Advance(2 * time.Minute)
	expectHandleRefused(t, "bob takes ada after a month", rename(s.As("bob"), bob.ID, "ada"), "")
	expectHandleRefused(t, "ada wants hers back too late", rename(s.As("lovelace"), ada.ID, "ada"), "validation_not_unique")
	expectHandleRefused(t, "ada takes bob, which bob gave up", rename(s.As("lovelace"), ada.ID, "bob"), reserved)
	expectHandleRefused(t, "bob becomes nobody", rename(s.As("ada"), bob.ID, ""), "validation_required")
}

func TestAnErasedAccountsHandlesStayItsOwn(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"handle": "lovelace"})
	ada.Update("users", ada.ID, map[string]any{"handle": "countess"})
	ada.Update("users", ada.ID, map[string]any{"handle": "lovelace"}) // gives up countess; lovelace and ada were hers before
	ada.Delete("users", ada.ID)
	s.RunJobs()
	if n := s.Rows("handles", "user = {:u}", map[string]any{"u": ada.ID}); n != 0 {
		t.Errorf("%d handles tell whose they were", n)
	}
	for _, handle := range []string{"ada", "lovelace", "countess"} {
		expectHandleRefused(t, "sign up as "+handle, signUpUser(s.Guest(), handle, map[string]any{"email": "x@example.com"}), "validation_handle_reserved")
	}
	s.Advance(31 * 24 * time.Hour)
	expectHandleRefused(t, "the last one, after a month", signUpUser(s.Guest(), "lovelace", map[string]any{"email": "x@example.com"}), "validation_handle_reserved")
	expectHandleRefused(t, "a former one, after a month", signUpUser(s.Guest(), "countess", map[string]any{"email": "x@example.com"}), "")
}

// TestAHandleReservedForEverStaysSo renames whoever had the handle when it was reserved.
func TestAHandleReservedForEverStaysSo(t *testing.T) {
	t.Parallel()
	s := hookstest.New(t)
	s.Admin().Create("handles", map[string]any{"name": "ada", "reason": "reserved"})
	ada := s.As("ada")
	ada.Update("users", ada.ID, map[string]any{"handle": "lovelace"})
	s.Advance(31 * 24 * time.Hour)
	expectHandleRefused(t, "sign up as ada", signUpUser(s.Guest(), "ada", map[string]any{"email": "x@example.com"}), "validation_handle_reserved")
	expectHandleRefused(t, "ada takes it back", s.As("lovelace").Do("PATCH", "/api/collections/users/records/"+ada.ID, map[string]any{"handle": "ada"}), "validation_handle_reserved")
}

func TestNobodyHoardsHandles(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	for i := range 10 {
		ada.Update("users", ada.ID, map[string]any{"handle": fmt.Sprint("hoard", i)})
	}
	expectHandleRefused(t, "the eleventh", ada.Do("PATCH", "/api/collections/users/records/"+ada.ID, map[string]any{"handle": "hoard10"}), "validation_handle_changes")
	s.Advance(31 * 24 * time.Hour)
	s.As("hoard9").Update("users", ada.ID, map[string]any{"handle": "hoard10"})
}

// TestTheServicesOwnNamesAreReserved checks the first part of every path too: the name of a new route or file must be
// reserved as well.
func TestTheServicesOwnNamesAreReserved(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	bob := s.As("bob")
	names := map[string]bool{}
	for _, name := range strings.Fields(`api www staff team abuse postmaster privacy security moderators admin root support help about
		login signup settings explore search tags everyone here null undefined official system moderator info contact noreply doubletap`) {
		names[name] = true
	}
	var description struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(s.Guest().Must(200, "GET", "/api/v1/openapi.json", nil).Raw), &description); err != nil || len(description.Paths) == 0 {
		t.Fatal(err)
	}
	for route := range description.Paths {
		names[strings.Split(route, "/")[1]] = true
	}
	files, err := fs.ReadDir(pb_public.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() || path.Ext(file.Name()) != ".png" {
			names[strings.TrimSuffix(file.Name(), path.Ext(file.Name()))] = true
		}
	}
	possible := regexp.MustCompile(`^[a-z0-9_]{3,30}$`)
	for name := range names {
		if !possible.MatchString(name) {
			continue
		}
		expectHandleRefused(t, "bob becomes "+name, bob.Do("PATCH", "/api/collections/users/records/"+bob.ID, map[string]any{"handle": name}), "validation_handle_reserved")
	}
	for _, handle := range []string{"ad.min", "adm_in", "a.d.m.i.n", "Ad_Min", "4dmin", "adm1n", "admln", "adrnin", "r00t", "rool_", "vvebmaster", "w.w_w", "supp0rt", "clashboard", "noreply_", "no.reply"} {
		code := "validation_handle_reserved"
		if handle == "rool_" { // which looks like none of our names
			code = ""
		}
		expectHandleRefused(t, "bob becomes "+handle, bob.Do("PATCH", "/api/collections/users/records/"+bob.ID, map[string]any{"handle": handle}), code)
	}
	expectHandleRefused(t, "sign up as ad.min", signUpUser(s.Guest(), "ad.min", nil), "validation_handle_reserved")
	p := newOAuthProvider(t, s, false)
	if a := p.signInClient(s.Guest(), newClaims("1", "Adm1n"), nil); a.Status != 200 || !regexp.MustCompile(`^adm1n_[a-z2-7]{6}$`).MatchString(handleOf(a)) {
		t.Errorf("an admin from a provider: %d %s", a.Status, a.Raw)
	}
	bob.Update("users", bob.ID, map[string]any{"handle": "badminton"})
	expectHandleRefused(t, "sign up as moderators", signUpUser(s.Guest(), "moderators", nil), "validation_handle_reserved")
	// somebody who has such a name already keeps it
	execSQL(t, s.App, "UPDATE users SET handle = 'staff' WHERE handle = 'ada'")
	staff := s.As("staff")
	staff.Update("users", staff.ID, map[string]any{"bio": "was here before", "handle": "staff"})
	staff.Update("users", staff.ID, map[string]any{"handle": "ada_l"})
	expectHandleRefused(t, "bob becomes staff", bob.Do("PATCH", "/api/collections/users/records/"+bob.ID, map[string]any{"handle": "staff"}), "validation_handle_reserved")
	if n := s.Rows("handles", "name = 'staff' AND until = ''"); n != 1 {
		t.Error("what is reserved for good was shortened")
	}
}

// TestCommonWordsCanBeHandles: what the service reserves takes no word from anybody but the reserved ones.
func TestCommonWordsCanBeHandles(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	content, err := os.ReadFile("testdata/common_words.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(content), "\n")
	words, refused := strings.Fields(list), 0
	for _, word := range words {
		if account.CheckHandle(s.App, "", word) == nil {
			continue
		}
		if refused++; s.Rows("handles", "name = {:w} AND reason = 'reserved'", map[string]any{"w": word}) == 0 {
			t.Errorf("%s is refused", word)
		}
	}
	if len(words) < 4000 || refused == 0 || refused > 80 {
		t.Errorf("%d of %d words are refused", refused, len(words))
	}
}
