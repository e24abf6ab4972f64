package deliver

import (
	"strings"
	"testing"
	"time"
)

func TestHowSomebodyIsTold(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		moment, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	never := time.Time{}
	noon := at("2026-11-21 12:00")
	plain := Recipient{Mailable: true, Digest: "off"}
	with := func(change func(*Recipient)) Recipient {
		p := plain
		change(&p)
		return p
	}
	notify := func(text string) Recipient { return with(func(p *Recipient) { p.Notify = parsePreferences(text) }) }
	night := func(from, to, place string) Recipient {
		return with(func(p *Recipient) { p.QuietFrom, p.QuietTo, p.Zone = from, to, loadZone(place) })
	}
	for _, c := range []struct {
		what string
		kind string
		p    Recipient
		now  time.Time
		want Plan
	}{
		{"a like rings and is not mailed", "like", plain, noon, Plan{true, true, noon, never, MailOff}},
		{"a comment's like is for the tray alone", "comment_like", plain, noon, Plan{true, true, never, never, MailOff}},
		{"an order is mailed", "order", plain, noon, Plan{true, true, noon, noon.Add(2 * time.Minute), MailNow}},
		{"what we do not know is for the tray alone", "wave", plain, noon, Plan{true, true, never, never, MailOff}},

		{"a muted one is not told", "like", with(func(p *Recipient) { p.Muted = true }), noon, Plan{MailMode: MailOff}},
		{"from a stranger, who wants friends only, is not told", "like", notify(`{"like":{"from":"follows","mail":"now"}}`), noon, Plan{MailMode: MailOff}},
		{"from a friend is told", "like", with(func(p *Recipient) { p.Notify, p.Follows = parsePreferences(`{"like":{"from":"follows"}}`), true }), noon, Plan{true, true, noon, never, MailOff}},
		{"from all is told", "like", notify(`{"like":{"from":"all"}}`), noon, Plan{true, true, noon, never, MailOff}},

		{"without the tray nobody is told at all", "like", notify(`{"like":{"list":false,"mail":"now"}}`), noon, Plan{MailMode: MailOff}},
		{"in the tray but not live", "like", notify(`{"like":{"live":false}}`), noon, Plan{true, false, noon, never, MailOff}},
		{"not on devices", "like", notify(`{"like":{"push":false}}`), noon, Plan{true, true, never, never, MailOff}},
		{"on devices although it is not usual", "comment_like", notify(`{"comment_like":{"push":true}}`), noon, Plan{true, true, noon, never, MailOff}},
		{"another type's wish is another's", "like", notify(`{"comment":{"push":false,"mail":"now"}}`), noon, Plan{true, true, noon, never, MailOff}},
		{"nonsense is no wish", "like", notify(`{"like":{"mail":"sometimes","from":7}}`), noon, Plan{true, true, noon, never, MailOff}},
		{"nonsense in one spoils no other", "like", notify(`{"comment":7,"like":{"push":false}}`), noon, Plan{true, true, never, never, MailOff}},
		{"a list is no wish", "like", notify(`[]`), noon, Plan{true, true, noon, never, MailOff}},

		{"mailed after two minutes", "like", notify(`{"like":{"mail":"now"}}`), noon, Plan{true, true, noon, at("2026-11-21 12:02"), MailNow}},
		{"never to an address that is not verified", "order", with(func(p *Recipient) { p.Mailable = false }), noon, Plan{true, true, noon, never, MailOff}},
		{"no mail although it is usual", "order", notify(`{"order":{"mail":"off"}}`), noon, Plan{true, true, noon, never, MailOff}},
		{"in the next hour's digest", "like", with(func(p *Recipient) { p.Digest = "hourly" }), at("2026-11-21 12:34"), Plan{true, true, at("2026-11-21 12:34"), at("2026-11-21 13:00"), MailDigest}},
		{"on the hour, in the next", "like", with(func(p *Recipient) { p.Digest = "hourly" }), noon, Plan{true, true, noon, at("2026-11-21 13:00"), MailDigest}},
		{"in tomorrow's digest", "like", with(func(p *Recipient) { p.Digest = "daily" }), noon, Plan{true, true, noon, at("2026-11-22 08:00"), MailDigest}},
		{"in this morning's digest", "like", with(func(p *Recipient) { p.Digest = "daily" }), at("2026-11-21 07:59"), Plan{true, true, at("2026-11-21 07:59"), at("2026-11-21 08:00"), MailDigest}},
		{"morning is where one lives", "like", with(func(p *Recipient) { p.Digest, p.Zone = "daily", loadZone("Asia/Tokyo") }), noon, Plan{true, true, noon, at("2026-11-21 23:00"), MailDigest}},
		{"now in spite of a digest", "like", with(func(p *Recipient) { p.Digest, p.Notify = "daily", parsePreferences(`{"like":{"mail":"now"}}`) }), noon, Plan{true, true, noon, at("2026-11-21 12:02"), MailNow}},

		{"quiet from noon", "like", night("12:00", "14:00", ""), noon, Plan{true, true, at("2026-11-21 14:00"), never, MailOff}},
		{"quiet until noon", "like", night("10:00", "12:00", ""), noon, Plan{true, true, noon, never, MailOff}},
		{"quiet over midnight, before it", "like", night("22:00", "07:00", ""), at("2026-11-21 23:30"), Plan{true, true, at("2026-11-22 07:00"), never, MailOff}},
		{"quiet over midnight, after it", "like", night("22:00", "07:00", ""), at("2026-11-21 06:59"), Plan{true, true, at("2026-11-21 07:00"), never, MailOff}},
		{"not quiet by day", "like", night("22:00", "07:00", ""), noon, Plan{true, true, noon, never, MailOff}},
		{"night is where one lives", "like", night("22:00", "07:00", "America/Los_Angeles"), at("2026-11-21 12:00"), Plan{true, true, at("2026-11-21 15:00"), never, MailOff}},
		{"the clocks go back in between", "like", night("22:00", "07:00", "Europe/Berlin"), at("2026-10-24 21:00"), Plan{true, true, at("2026-10-25 06:00"), never, MailOff}},
		{"the clocks skip the end", "like", night("22:00", "02:30", "Europe/Berlin"), at("2026-03-28 23:00"), Plan{true, true, at("2026-03-29 01:00"), never, MailOff}},
		{"the clocks skip the end, far west", "like", night("22:00", "02:30", "America/New_York"), at("2026-03-08 03:00"), Plan{true, true, at("2026-03-08 07:00"), never, MailOff}},
		{"the clocks go back out of it", "like", night("00:30", "07:00", "Atlantic/Azores"), at("2026-10-25 00:40"), Plan{true, true, at("2026-10-25 01:00"), never, MailOff}},
		{"the clocks go back into it", "like", night("22:00", "01:30", "America/New_York"), at("2026-11-01 06:10"), Plan{true, true, at("2026-11-01 06:30"), never, MailOff}},
		{"no time is quiet", "like", night("12:00", "12:00", ""), noon, Plan{true, true, noon, never, MailOff}},
		{"half a wish is none", "like", night("12:00", "", ""), noon, Plan{true, true, noon, never, MailOff}},
		{"a zone that is none is UTC", "like", night("12:00", "14:00", "Mars/Olympus"), noon, Plan{true, true, at("2026-11-21 14:00"), never, MailOff}},
	} {
		if got := DecidePlan(c.kind, c.p, c.now); got.List != c.want.List || got.Live != c.want.Live || !got.PushAt.Equal(c.want.PushAt) || !got.MailAt.Equal(c.want.MailAt) || got.MailMode != c.want.MailMode {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.what, got, c.want)
		}
	}
}

func TestWhoIsMailedByDefaultIsReachable(t *testing.T) {
	for kind, usual := range defaultPreferences {
		if usual.mail == MailNow && !strings.Contains(ReachableCondition, "'"+kind+"'") {
			t.Errorf("%s is mailed at once to who said nothing, and Reachable does not know", kind)
		}
	}
}
