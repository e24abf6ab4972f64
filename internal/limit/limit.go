package limit

import (
	"encoding/binary"
	"hash/maphash"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/clock"
)

// Limits are the limits of one app, with what was taken from them. Cells live in memory: after a start all are full, but
// those of what a person adds, which LoadAdded fills from the stored rows.
type Limits struct {
	app         core.App
	definitions [ruleCount]Definition
	rates       [ruleCount]rate
	seeds       [2]maphash.Seed
	cells       cellTable
	known       cellTable // when each of them was noted, see Remember
	reserved    reservations
}

const storeKey = "doubletap.limits"

// ForApp returns the limits of an app, also inside a transaction. A mistake in EnvVariable is told by CheckSettings, and
// leaves the numbers that are shipped.
func ForApp(app core.App) *Limits {
	return app.Store().GetOrSet(storeKey, func() any {
		l := &Limits{app: app, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
		l.definitions, _ = parseSettings(os.Getenv(EnvVariable))
		for rule, d := range l.definitions {
			if d.Most > 0 && d.In > 0 {
				l.rates[rule] = newRate(d.Most, d.In)
			}
		}
		return l
	}).(*Limits)
}

// CheckSettings returns what is wrong with EnvVariable, for the start of the service.
func CheckSettings() error {
	_, err := parseSettings(os.Getenv(EnvVariable))
	return err
}

// Most returns how many units of a rule there are, zero if it is off.
func (l *Limits) Most(rule Rule) int { return l.definitions[rule].Most }

// Claim says whose unit of a rule is to be taken. It names one cell.
type Claim struct {
	rule   Rule
	hi, lo uint64 // a hash of whom or what is counted
}

// ForText returns a claim of whom or what a text names: the id of an account, a mailbox, a name that was typed.
func (l *Limits) ForText(rule Rule, text string) Claim {
	return Claim{rule, maphash.String(l.seeds[0], text), maphash.String(l.seeds[1], text)}
}

// ForAddress returns a claim of a network address.
func (l *Limits) ForAddress(rule Rule, address netip.Addr) Claim {
	bytes := AddressGroup(address).Addr().As16()
	return Claim{rule, binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:])}
}

// AddressGroup returns what an address is counted as: IPv6 as its /64, which is what one household or machine has.
func AddressGroup(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	group, _ := address.Prefix(bits) // there is none of an address that is none, and those are counted together
	return group
}

// ClientAddress returns the address that a request comes from.
func ClientAddress(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr) // net/http has written it, or whoever knows for whom a proxy asks
	return at.Addr()
}

// State is what a rule says to one claim.
type State struct {
	Rule Rule
	Left int64         // units
	Wait time.Duration // until there is a unit; zero if one was taken
}

// Take takes one unit, unless there is none: then the state has a Wait.
func (l *Limits) Take(claim Claim) State {
	r := l.rates[claim.rule]
	if r.most == 0 {
		return State{Rule: claim.rule, Left: 1}
	}
	s := State{Rule: claim.rule}
	now := clock.Now(l.app).UnixNano()
	l.cells.update(claim, func(cell int64, _ bool) (after int64) {
		after, s.Left, s.Wait = r.take(cell, now)
		return after
	})
	return s
}

// GiveBack gives back a unit that was taken for what then was not done.
func (l *Limits) GiveBack(claim Claim) {
	if r := l.rates[claim.rule]; r.most > 0 {
		l.cells.update(claim, func(cell int64, _ bool) int64 { return cell - r.interval })
	}
}
