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
	plain := Person{Mailable: true, Digest: "off"}
	with := func(change func(*Person)) Person {
		p := plain
		change(&p)
		return p
	}
	notify := func(text string) Person { return with(func(p *Person) { p.Notify = wishes(text) }) }
	night := func(from, to, place string) Person {
		return with(func(p *Person) { p.QuietFrom, p.QuietTo, p.Zone = from, to, zone(place) })
	}
	for _, c := range []struct {
		what string
		kind string
		p    Person
		now  time.Time
		want Plan
	}{
		{"a like rings and is not mailed", "like", plain, noon, Plan{true, true, noon, never, Off}},
		{"a comment's like is for the tray alone", "comment_like", plain, noon, Plan{true, true, never, never, Off}},
		{"an order is mailed", "order", plain, noon, Plan{true, true, noon, noon.Add(2 * time.Minute), Now}},
		{"what we do not know is for the tray alone", "wave", plain, noon, Plan{true, true, never, never, Off}},

		{"a muted one is not told", "like", with(func(p *Person) { p.Muted = true }), noon, Plan{Kind: Off}},
		{"from a stranger, who wants friends only, is not told", "like", notify(`{"like":{"from":"follows","mail":"now"}}`), noon, Plan{Kind: Off}},
		{"from a friend is told", "like", with(func(p *Person) { p.Notify, p.Follows = wishes(`{"like":{"from":"follows"}}`), true }), noon, Plan{true, true, noon, never, Off}},
		{"from all is told", "like", notify(`{"like":{"from":"all"}}`), noon, Plan{true, true, noon, never, Off}},

		{"without the tray nobody is told at all", "like", notify(`{"like":{"list":false,"mail":"now"}}`), noon, Plan{Kind: Off}},
		{"in the tray but not live", "like", notify(`{"like":{"live":false}}`), noon, Plan{true, false, noon, never, Off}},
		{"not on devices", "like", notify(`{"like":{"push":false}}`), noon, Plan{true, true, never, never, Off}},
		{"on devices although it is not usual", "comment_like", notify(`{"comment_like":{"push":true}}`), noon, Plan{true, true, noon, never, Off}},
		{"another type's wish is another's", "like", notify(`{"comment":{"push":false,"mail":"now"}}`), noon, Plan{true, true, noon, never, Off}},
		{"nonsense is no wish", "like", notify(`{"like":{"mail":"sometimes","from":7}}`), noon, Plan{true, true, noon, never, Off}},
		{"nonsense in one spoils no other", "like", notify(`{"comment":7,"like":{"push":false}}`), noon, Plan{true, true, never, never, Off}},
		{"a list is no wish", "like", notify(`[]`), noon, Plan{true, true, noon, never, Off}},

		{"mailed after two minutes", "like", notify(`{"like":{"mail":"now"}}`), noon, Plan{true, true, noon, at("2026-11-21 12:02"), Now}},
		{"never to an address that is not verified", "order", with(func(p *Person) { p.Mailable = false }), noon, Plan{true, true, noon, never, Off}},
		{"no mail although it is usual", "order", notify(`{"order":{"mail":"off"}}`), noon, Plan{true, true, noon, never, Off}},
		{"in the next hour's digest", "like", with(func(p *Person) { p.Digest = "hourly" }), at("2026-11-21 12:34"), Plan{true, true, at("2026-11-21 12:34"), at("2026-11-21 13:00"), Digest}},
		{"on the hour, in the next", "like", with(func(p *Person) { p.Digest = "hourly" }), noon, Plan{true, true, noon, at("2026-11-21 13:00"), Digest}},
		{"in tomorrow's digest", "like", with(func(p *Person) { p.Digest = "daily" }), noon, Plan{true, true, noon, at("2026-11-22 08:00"), Digest}},
		{"in this morning's digest", "like", with(func(p *Person) { p.Digest = "daily" }), at("2026-11-21 07:59"), Plan{true, true, at("2026-11-21 07:59"), at("2026-11-21 08:00"), Digest}},
		{"morning is where one lives", "like", with(func(p *Person) { p.Digest, p.Zone = "daily", zone("Asia/Tokyo") }), noon, Plan{true, true, noon, at("2026-11-21 23:00"), Digest}},
		{"now in spite of a digest", "like", with(func(p *Person) { p.Digest, p.Notify = "daily", wishes(`{"like":{"mail":"now"}}`) }), noon, Plan{true, true, noon, at("2026-11-21 12:02"), Now}},

		{"quiet from noon", "like", night("12:00", "14:00", ""), noon, Plan{true, true, at("2026-11-21 14:00"), never, Off}},
		{"quiet until noon", "like", night("10:00", "12:00", ""), noon, Plan{true, true, noon, never, Off}},
		{"quiet over midnight, before it", "like", night("22:00", "07:00", ""), at("2026-11-21 23:30"), Plan{true, true, at("2026-11-22 07:00"), never, Off}},
		{"quiet over midnight, after it", "like", night("22:00", "07:00", ""), at("2026-11-21 06:59"), Plan{true, true, at("2026-11-21 07:00"), never, Off}},
		{"not quiet by day", "like", night("22:00", "07:00", ""), noon, Plan{true, true, noon, never, Off}},
		{"night is where one lives", "like", night("22:00", "07:00", "America/Los_Angeles"), at("2026-11-21 12:00"), Plan{true, true, at("2026-11-21 15:00"), never, Off}},
		{"the clocks go back in between", "like", night("22:00", "07:00", "Europe/Berlin"), at("2026-10-24 21:00"), Plan{true, true, at("2026-10-25 06:00"), never, Off}},
		{"the clocks skip the end", "like", night("22:00", "02:30", "Europe/Berlin"), at("2026-03-28 23:00"), Plan{true, true, at("2026-03-29 01:00"), never, Off}},
		{"the clocks skip the end, far west", "like", night("22:00", "02:30", "America/New_York"), at("2026-03-08 03:00"), Plan{true, true, at("2026-03-08 07:00"), never, Off}},
		{"the clocks go back out of it", "like", night("00:30", "07:00", "Atlantic/Azores"), at("2026-10-25 00:40"), Plan{true, true, at("2026-10-25 01:00"), never, Off}},
		{"the clocks go back into it", "like", night("22:00", "01:30", "America/New_York"), at("2026-11-01 06:10"), Plan{true, true, at("2026-11-01 06:30"), never, Off}},
		{"no time is quiet", "like", night("12:00", "12:00", ""), noon, Plan{true, true, noon, never, Off}},
		{"half a wish is none", "like", night("12:00", "", ""), noon, Plan{true, true, noon, never, Off}},
		{"a zone that is none is UTC", "like", night("12:00", "14:00", "Mars/Olympus"), noon, Plan{true, true, at("2026-11-21 14:00"), never, Off}},
	} {
		if got := Decide(c.kind, c.p, c.now); got.List != c.want.List || got.Live != c.want.Live || !got.Push.Equal(c.want.Push) || !got.Mail.Equal(c.want.Mail) || got.Kind != c.want.Kind {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.what, got, c.want)
		}
	}
}

func TestWhoIsMailedByDefaultIsReachable(t *testing.T) {
	for kind, usual := range defaults {
		if usual.mail == Now && !strings.Contains(Reachable, "'"+kind+"'") {
			t.Errorf("%s is mailed at once to who said nothing, and Reachable does not know", kind)
		}
	}
}
