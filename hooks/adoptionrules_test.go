package hooks_test

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestAdoptingRefusesRulesOfEmptyValues has rules that an empty value closes: adopting fills it, for those who are there
// and for each who signs up. What such a rule guards stays closed once its field has a name of its own.
func TestAdoptingRefusesRulesOfEmptyValues(t *testing.T) {
	testenv.SkipSequential(t)
	decided := hooks.Adoption{Role: map[string]string{"moderator": "moderator"}, State: map[string]string{"active": "active"}, Same: []string{"handle"}}
	for field, value := range map[string]string{"role": "moderator", "state": "active", "handle": "ann"} {
		for _, everybodyHasOne := range []bool{false, true} {
			folder := func(name string) *plainApp {
				p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.Fields.Add(&core.TextField{Name: name}) })
				ledger := core.NewBaseCollection("ledger")
				ledger.Fields.Add(&core.TextField{Name: "title"})
				ledger.ListRule = types.Pointer(`@request.auth.` + name + ` != ""`)
				p.must(p.app.Save(ledger))
				p.must(p.app.Save(core.NewRecord(ledger)))
				p.addUser("ann@example.com", map[string]any{name: value, "name": "ann"})
				if !everybodyHasOne {
					p.addUser("bob@example.com", map[string]any{"name": "bob"})
				}
				return p
			}
			if said := folder(field).refusal(decided); !strings.Contains(said, "users."+field+" (1 row): its values would change, and these read them: ledger.listRule") {
				t.Errorf("a rule of %s, empty for others: %s", field, said)
			}
			if everybodyHasOne {
				continue
			}
			s := folder("my" + field).adopt(decided)
			s.Guest().Must(200, "POST", "/api/collections/users/records", map[string]any{"email": "eve@example.com", "password": hookstest.Password, "passwordConfirm": hookstest.Password, "handle": "eve"})
			for name, rows := range map[string]int{"ann": 1, "bob": 0, "eve": 0} {
				if n := len(s.As(name).List("ledger", "")); n != rows {
					t.Errorf("%s, by a rule of my%s, sees %d rows, want %d", name, field, n, rows)
				}
			}
		}
	}
}

// TestAdoptingJoinsRulesWithComments has a rule that ends in a comment, behind which nothing may be lost, and one whose
// comment cannot stand between parentheses.
func TestAdoptingJoinsRulesWithComments(t *testing.T) {
	testenv.SkipSequential(t)
	rule := "verified = true // staff see\n&& name != 'eve' // and nobody else"
	p := newPlainApp(t).changeUsers(func(users *core.Collection) {
		users.ListRule, users.ViewRule = types.Pointer(rule), types.Pointer(rule)
	})
	p.addUser("ann@example.com", map[string]any{"name": "ann", "verified": true})
	p.addUser("eve@example.com", map[string]any{"name": "eve", "verified": true})
	p.addUser("bob@example.com", map[string]any{"name": "bob", "verified": true})
	s := p.adopt()
	s.As("ann").Create("blocks", map[string]any{"blocker": s.User("ann").Id, "blocked": s.User("bob").Id})
	for name, want := range map[string]int{"": 2, "ann": 2, "bob": 1, "eve": 2} { // never eve, nor whom one is blocked by
		c := s.Guest()
		if name != "" {
			c = s.As(name)
		}
		if n := len(c.List("users", "")); n != want {
			t.Errorf("%q sees %d people, want %d", name, n, want)
		}
	}
	for _, comment := range []string{"that's all", "see (above", "here)", `said "so`} {
		p := newPlainApp(t).changeUsers(func(users *core.Collection) { users.UpdateRule = types.Pointer("verified = true // " + comment) })
		if said := p.refusal(); !strings.Contains(said, "users.updateRule (0 rows): it cannot be joined with Doubletap's rule") {
			t.Errorf("a comment %q: %s", comment, said)
		}
	}
}
