package inbox

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func TestANotificationReachesItsRecipientsDevicesAndNobodyElse(t *testing.T) {
	s := serve(t)
	phone, laptop := s.connect(s.token("ada"), "notifications/*"), s.connect(s.token("ada"), "notifications/*", "settings/*")
	others := []*stream{s.connect(s.token("bob"), "notifications/*"), s.connect("", "notifications/*"), s.connect(s.token("ada"), "settings/*")}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	for _, d := range []*stream{phone, laptop} {
		got := d.next()
		if got.String() != "notifications/* create n1" || got.seq() != 1 || got.Record["collectionName"] != "notifications" || got.Record["recipient"] != "ada" {
			t.Errorf("got %v %v", got, got.Record)
		}
		if _, leaked := got.Record["groupKey"]; leaked {
			t.Error("a hidden field was sent")
		}
	}
	for _, d := range others {
		d.wantNothing()
	}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	phone.want("notifications/* update n1")
}

func TestARowThatWasThereBeforeTheDeviceIsUpdated(t *testing.T) {
	s := serve(t)
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d := s.connect(s.token("ada"), "notifications/*")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d.want("notifications/* update n1")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1"); s.retract(tx, "ada", "n1") })
	got := d.next()
	if got.String() != "notifications/* delete n1" || len(got.Record) != 3 || got.Record["collectionName"] != "notifications" {
		t.Errorf("got %v %v", got, got.Record)
	}
	d.wantNothing()
}

func TestWhatIsRolledBackIsNotSent(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), "notifications/*", "settings/*", "feed/*")
	fire := errors.New("disk on fire")
	err := s.app.RunInTransaction(func(tx core.App) error {
		s.notify(tx, "ada", "n1")
		Updated(tx, "ada", "settings")
		FeedRemoved(tx, []FeedRow{{"f1", "ada"}})
		return fire
	})
	if !errors.Is(err, fire) {
		t.Fatal(err)
	}
	d.wantNothing()
}

func TestChangesArriveInTheOrderOfTheDatabase(t *testing.T) {
	s := serve(t)
	devices := []*stream{s.connect(s.token("ada"), "notifications/*"), s.connect(s.token("ada"), "notifications/*")}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			must(t, s.app.RunInTransaction(func(tx core.App) error {
				s.notify(tx, "ada", fmt.Sprint("n", i%40)) // five changes to each row
				return nil
			}))
		})
	}
	all.Wait()
	var rows []struct {
		ID  string `db:"id"`
		Seq int64  `db:"seq"`
	}
	must(t, s.app.DB().NewQuery(`SELECT id, seq FROM notifications`).All(&rows))
	for _, d := range devices {
		last, tray, created := int64(0), map[string]int64{}, map[string]bool{}
		for last < 200 {
			e := d.next()
			if e.seq() <= last {
				t.Fatalf("seq %d came after %d", e.seq(), last)
			}
			id := e.Record["id"].(string)
			if (e.Action == "create") == created[id] {
				t.Errorf("got %v, created already: %v", e, created[id])
			}
			last, tray[id], created[id] = e.seq(), e.seq(), true
		}
		if len(tray) != len(rows) {
			t.Errorf("got %d rows, want %d", len(tray), len(rows))
		}
		for _, row := range rows {
			if tray[row.ID] != row.Seq {
				t.Errorf("row %s: got seq %d, want %d", row.ID, tray[row.ID], row.Seq)
			}
		}
	}
}

func TestNothingCommittedAfterTheAnswerIsMissed(t *testing.T) {
	s := serve(t)
	token := s.token("ada")
	write := func(i int) (seq int64) {
		must(t, s.app.RunInTransaction(func(tx core.App) error { seq = s.notify(tx, "ada", fmt.Sprint("n", i)); return nil }))
		return seq
	}
	enough, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		for i := 1; ; i++ {
			select {
			case <-enough:
				return
			default:
				write(i)
			}
		}
	}()
	devices := map[*stream]int64{}
	for range 5 {
		d := s.connect(token, "notifications/*")
		var answered int64
		must(t, s.app.DB().NewQuery(`SELECT seq FROM settings WHERE user = 'ada'`).Row(&answered))
		devices[d] = answered
		d.subscribe("notifications/*", "settings/*") // goes on where it is
	}
	close(enough)
	<-written
	final := write(0)
	for d, answered := range devices {
		for last := int64(0); last < final; {
			e := d.next()
			if last != 0 && e.seq() != last+1 || last == 0 && e.seq() > answered+1 {
				t.Fatalf("seq %d came after %d, and the answer when it was %d", e.seq(), last, answered)
			}
			if e.Action != "create" {
				t.Fatalf("got %v", e)
			}
			last = e.seq()
		}
	}
}

func TestWhatIsCommittedWhileADeviceSitsDownIsNotMissed(t *testing.T) {
	s := serve(t)
	d := s.connect("")
	d.token = s.token("ada")
	s.queried = func(query string) { // after the look at the tray, before the device is known
		if strings.Contains(query, "LEFT JOIN notifications n ON n.recipient = s.user") {
			s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
			s.idle()
		}
	}
	d.subscribe("notifications/*")
	d.want("notifications/* create n1")
}

func TestWhatIsCommittedBeforeTheAnswerIsSentToo(t *testing.T) {
	s := serve(t)
	d := s.connect("")
	d.token = s.token("ada")
	s.app.OnRealtimeSubscribeRequest().BindFunc(func(e *core.RealtimeSubscribeRequestEvent) error {
		s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
		s.idle()
		return e.Next()
	})
	d.subscribe("notifications/*")
	d.want("notifications/* create n1")
}

func TestADeviceThatSubscribesAnewGoesOnWhereItWas(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), "notifications/*", "settings/*")
	s.idle()
	busy, free := make(chan struct{}), make(chan struct{})
	s.queried = func(query string) {
		if strings.Contains(query, "`settings`.*") {
			close(busy)
			<-free
		}
	}
	s.transaction(func(tx core.App) { Updated(tx, "ada", "settings") })
	<-busy // ada's worker is held up
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	name := with("notifications/*", `{"fields":"id"}`)
	d.subscribe(name)
	close(free)
	d.want("settings/* update ada", name+" create n1")
}

func TestASubscribeThatIsRefusedChangesNothing(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), "notifications/*")
	s.app.OnRealtimeSubscribeRequest().BindFunc(func(*core.RealtimeSubscribeRequestEvent) error { return errors.New("not today") })
	if status := d.subscribe("settings/*"); status != 400 {
		t.Errorf("got %d", status)
	}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1"); Updated(tx, "ada", "settings") })
	d.want("notifications/* create n1")
	d.wantNothing()
}

func TestATrayRemembersInBounds(t *testing.T) {
	s := serve(t)
	ada, err := readTray(s.app, "ada")
	must(t, err)
	super := &tray{cursors: map[string]int64{}}
	for i := range 3 * followed {
		super.advance(fmt.Sprint("person", i), 7)
	}
	if len(super.cursors) > followed+1 {
		t.Errorf("%d people are followed", len(super.cursors))
	}
	moment := func(i int) row { return row{fmt.Sprint("n", i), fmt.Sprintf("2026-01-01 00:00:00.%03dZ", i)} }
	for i := range 3 * remembered {
		if got := ada.action(moment(i)); got != "create" {
			t.Fatalf("row %d: got %s", i, got)
		}
		ada.took(moment(i))
		if got := ada.action(moment(i)); got != "update" {
			t.Fatalf("row %d again: got %s", i, got)
		}
	}
	if got := ada.action(moment(0)); got != "update" {
		t.Errorf("the first row: got %s", got)
	}
	if len(ada.sent) != remembered {
		t.Errorf("%d rows are remembered", len(ada.sent))
	}
}

func TestALargeChangeReachesADeviceThatReadsInOrder(t *testing.T) {
	s := serve(t)
	const n = 400
	s.transaction(func(tx core.App) {
		for i := range n {
			s.notify(tx, "ada", fmt.Sprint("old", i))
		}
	})
	d := s.connect(s.token("ada"), "notifications/*")
	s.transaction(func(tx core.App) {
		for i := range n {
			s.retract(tx, "ada", fmt.Sprint("old", i))
			s.notify(tx, "ada", fmt.Sprint("new", i))
		}
	})
	for i := range n {
		d.want(fmt.Sprint("notifications/* delete old", i), fmt.Sprint("notifications/* create new", i))
	}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "new0"); s.notify(tx, "ada", fmt.Sprint("new", n-1)) })
	d.want("notifications/* update new0", fmt.Sprint("notifications/* update new", n-1))
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	for client := range s.in.devices {
		if got := len(s.in.devices[client].tray.sent); got > remembered {
			t.Errorf("%d rows are remembered", got)
		}
	}
}

// with is a subscription as the JS SDK writes it.
func with(topic, query string) string {
	return topic + "?options=" + url.QueryEscape(`{"query":`+query+`}`)
}

func TestExpandAndFieldsAreHonoured(t *testing.T) {
	s := serve(t)
	s.app.OnRecordEnrich("users").BindFunc(func(e *core.RecordEnrichEvent) error {
		if e.RequestInfo.Context == core.RequestInfoContextExpand && e.RequestInfo.Auth.Id == "ada" {
			e.Record.WithCustomData(true)
			e.Record.Set("relationship", "for ada")
		}
		return e.Next()
	})
	plain, rich := "notifications/*", with("notifications/*", `{"expand":"actors","fields":"id,expand.actors.handle,expand.actors.relationship","filter":"id=0"}`)
	d, twin := s.connect(s.token("ada"), plain, rich), s.connect(s.token("ada"), rich)
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	got := map[string]event{}
	for range 2 {
		e := d.next()
		got[e.name] = e
	}
	if e := got[plain]; e.Action != "create" || e.Record["type"] != "like" || e.Record["expand"] != nil {
		t.Errorf("got %v %v", e, e.Record)
	}
	const want = "map[expand:map[actors:[map[handle:cyn relationship:for ada]]] id:n1]"
	for _, e := range []event{got[rich], twin.next()} {
		if e.name != rich || e.Action != "create" || fmt.Sprint(e.Record) != want {
			t.Errorf("got %v %v, want %s", e, e.Record, want)
		}
	}
}

func TestASecondSubscribeReplacesTheFirst(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), "notifications/*", "settings/*")
	d.subscribe("settings/*")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1"); Updated(tx, "ada", "settings") })
	d.want("settings/* update ada")
	d.wantNothing()
	d.subscribe("notifications/*")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n2"); Updated(tx, "ada", "settings") })
	d.want("notifications/* create n2") // n1 came while it did not listen
	d.wantNothing()
	d.subscribe()
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n3") })
	d.wantNothing()
}

func TestOneRowCanBeListenedToAndACollectionNamedByItsID(t *testing.T) {
	s := serve(t)
	c, err := s.app.FindCollectionByNameOrId("notifications")
	must(t, err)
	one, byID := s.connect(s.token("ada"), "notifications/n2"), s.connect(s.token("ada"), c.Id+"/*")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1"); s.notify(tx, "ada", "n2"); s.notify(tx, "bob", "n3") })
	one.want("notifications/n2 create n2")
	byID.want(c.Id+"/* create n1", c.Id+"/* create n2")
	byID.wantNothing()
}

func TestASuperuserHearsOfEverybody(t *testing.T) {
	s := serve(t)
	admins, err := s.app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	must(t, err)
	admin := core.NewRecord(admins)
	admin.SetEmail("root@example.com")
	admin.SetRandomPassword()
	must(t, s.app.Save(admin))
	token, err := admin.NewAuthToken()
	must(t, err)
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n0") })
	d := s.connect(token, "notifications/*", "settings/*", "feed/*")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d.want("notifications/* create n1")
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d.want("notifications/* update n1")
	s.transaction(func(tx core.App) {
		s.notify(tx, "bob", "n2")
		s.retract(tx, "bob", "n2")
		Updated(tx, "bob", "settings")
	})
	d.want("notifications/* delete n2", "settings/* update bob")
	s.post("bob", "p1", "private")
	s.transaction(func(tx core.App) { s.feed(tx, "bob", "bob", "p1") })
	d.want("feed/* create bobp1")
	d.wantNothing()
}

func TestWhoElseIsConnectedCostsNothing(t *testing.T) {
	s := serve(t)
	d := s.connect(s.token("ada"), with("notifications/*", `{"expand":"actors"}`))
	n := 0
	delivery := func() int64 {
		s.idle()
		before := s.queries.Load()
		n++
		s.transaction(func(tx core.App) { s.notify(tx, "ada", fmt.Sprint("n", n)) })
		if got := d.next(); got.Record["id"] != fmt.Sprint("n", n) {
			t.Fatalf("got %v", got)
		}
		s.idle()
		return s.queries.Load() - before
	}
	alone := delivery()
	for i := range 1000 {
		other := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		s.in.enter(other)
		s.in.sit(other, &seat{device: other, person: fmt.Sprint("other", i), topics: topics(s.app, []string{"notifications/*", "feed/*"}), tray: &tray{person: fmt.Sprint("other", i)}})
	}
	if people, devices := s.in.Connected(); people != 1001 || devices != 1001 {
		t.Errorf("got %d people on %d devices", people, devices)
	}
	if among := delivery(); among != alone {
		t.Errorf("%d queries among 1,000 others, %d alone", among, alone)
	}
	t.Logf("%d queries for a delivery", alone)
}

func TestSettingsReachTheirOwner(t *testing.T) {
	s := serve(t)
	ada, bob := s.connect(s.token("ada"), "settings/*"), s.connect(s.token("bob"), "settings/*")
	s.transaction(func(tx core.App) {
		s.exec(tx, `UPDATE settings SET locale = 'de' WHERE user = 'ada'`, nil)
		Updated(tx, "ada", "settings")
	})
	if got := ada.next(); got.String() != "settings/* update ada" || got.Record["locale"] != "de" || got.Record["seq"] != nil {
		t.Errorf("got %v %v", got, got.Record)
	}
	bob.wantNothing()
}

func TestAHookThatPanicsCostsItsPersonTheConnectionAndNobodyElse(t *testing.T) {
	s := serve(t)
	s.app.OnRecordEnrich("settings").BindFunc(func(e *core.RecordEnrichEvent) error {
		switch e.Record.Id {
		case "ada":
			panic("at the disco")
		case "cyn":
			return errors.New("no")
		}
		return e.Next()
	})
	ada, bob, cyn := s.connect(s.token("ada"), "settings/*"), s.connect(s.token("bob"), "settings/*"), s.connect(s.token("cyn"), "settings/*")
	for range 2 * workers {
		s.transaction(func(tx core.App) {
			for _, name := range []string{"ada", "bob", "cyn", "nobody"} {
				Updated(tx, name, "settings")
			}
		})
		bob.want("settings/* update bob")
	}
	ada.wantEnd()
	cyn.wantNothing()
}

func TestAStolenMomentDoesNotOutliveTheTokenKey(t *testing.T) {
	s := serve(t)
	d := s.connect("")
	d.token = s.token("ada")
	// the token is believed, then its key changes, then the device is seated
	s.app.OnRealtimeSubscribeRequest().Bind(firstly(func(e *core.RealtimeSubscribeRequestEvent) error {
		s.exec(s.app, `UPDATE users SET tokenKey = {:key} WHERE id = 'ada'`, dbx.Params{"key": "another key of at least thirty characters"})
		return e.Next()
	}))
	if status := d.subscribe("notifications/*"); status != 401 {
		t.Errorf("got %d", status)
	}
	s.transaction(func(tx core.App) { s.notify(tx, "ada", "n1") })
	d.wantNothing()
}
