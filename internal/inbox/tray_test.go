package inbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func TestANotificationReachesItsRecipientsDevicesAndNobodyElse(t *testing.T) {
	s := startService(t)
	phone, laptop := s.connectDevice(s.tokenOf("ada"), "notifications/*"), s.connectDevice(s.tokenOf("ada"), "notifications/*", "settings/*")
	others := []*stream{s.connectDevice(s.tokenOf("bob"), "notifications/*"), s.connectDevice("", "notifications/*"), s.connectDevice(s.tokenOf("ada"), "settings/*")}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	for _, d := range []*stream{phone, laptop} {
		got := d.nextEvent()
		if got.String() != "notifications/* create n1" || got.seqNumber() != 1 || got.Record["collectionName"] != "notifications" || got.Record["recipient"] != "ada" {
			t.Errorf("got %v %v", got, got.Record)
		}
		if _, leaked := got.Record["groupKey"]; leaked {
			t.Error("a hidden field was sent")
		}
	}
	for _, d := range others {
		d.wantNothing()
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	phone.wantEvents("notifications/* update n1")
}

func TestARowThatWasThereBeforeTheDeviceIsUpdated(t *testing.T) {
	s := startService(t)
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* update n1")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); s.retractNotification(tx, "ada", "n1") })
	got := d.nextEvent()
	if got.String() != "notifications/* delete n1" || len(got.Record) != 3 || got.Record["collectionName"] != "notifications" {
		t.Errorf("got %v %v", got, got.Record)
	}
	d.wantNothing()
}

func TestWhatIsRolledBackIsNotSent(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*", "settings/*", "feed/*")
	fire := errors.New("disk on fire")
	err := s.app.RunInTransaction(func(tx core.App) error {
		s.addNotification(tx, "ada", "n1")
		PersonRowChanged(tx, "ada", "settings")
		FeedPostHidden(tx, "ada", "p1")
		return fire
	})
	if !errors.Is(err, fire) {
		t.Fatal(err)
	}
	d.wantNothing()
}

func TestChangesArriveInTheOrderOfTheDatabase(t *testing.T) {
	s := startService(t)
	devices := []*stream{s.connectDevice(s.tokenOf("ada"), "notifications/*"), s.connectDevice(s.tokenOf("ada"), "notifications/*")}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			requireNoError(t, s.app.RunInTransaction(func(tx core.App) error {
				s.addNotification(tx, "ada", fmt.Sprint("n", i%40)) // five changes to each row
				return nil
			}))
		})
	}
	all.Wait()
	var rows []struct {
		ID  string `db:"id"`
		Seq int64  `db:"seq"`
	}
	requireNoError(t, s.app.DB().NewQuery(`SELECT id, seq FROM notifications`).All(&rows))
	for _, d := range devices {
		last, tray, created := int64(0), map[string]int64{}, map[string]bool{}
		for last < 200 {
			e := d.nextEvent()
			if e.seqNumber() <= last {
				t.Fatalf("seq %d came after %d", e.seqNumber(), last)
			}
			id := e.Record["id"].(string)
			if (e.Action == "create") == created[id] {
				t.Errorf("got %v, created already: %v", e, created[id])
			}
			last, tray[id], created[id] = e.seqNumber(), e.seqNumber(), true
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
	s := startService(t)
	token := s.tokenOf("ada")
	write := func(i int) (seq int64) {
		requireNoError(t, s.app.RunInTransaction(func(tx core.App) error { seq = s.addNotification(tx, "ada", fmt.Sprint("n", i)); return nil }))
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
		d := s.connectDevice(token, "notifications/*")
		var answered int64
		requireNoError(t, s.app.DB().NewQuery(`SELECT seq FROM settings WHERE user = 'ada'`).Row(&answered))
		devices[d] = answered
		d.subscribe("notifications/*", "settings/*") // continues with the tray that it has
	}
	close(enough)
	<-written
	final := write(0)
	for d, answered := range devices {
		for last := int64(0); last < final; {
			e := d.nextEvent()
			if last != 0 && e.seqNumber() != last+1 || last == 0 && e.seqNumber() > answered+1 {
				t.Fatalf("seq %d came after %d, and the answer when it was %d", e.seqNumber(), last, answered)
			}
			if e.Action != "create" {
				t.Fatalf("got %v", e)
			}
			last = e.seqNumber()
		}
	}
}

func TestWhatIsCommittedWhileADeviceSubscribesIsNotMissed(t *testing.T) {
	s := startService(t)
	d := s.connectGuestDevice("ada")
	s.onQuery = func(query string) { // after the tray was read, before the subscription is indexed
		if strings.Contains(query, "LEFT JOIN notifications n ON n.recipient = s.user") {
			s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
			s.waitUntilIdle()
		}
	}
	d.subscribe("notifications/*")
	d.wantEvents("notifications/* create n1")
}

func TestWhatIsCommittedBeforeTheAnswerIsSentToo(t *testing.T) {
	s := startService(t)
	d := s.connectGuestDevice("ada")
	s.app.OnRealtimeSubscribeRequest().BindFunc(func(e *core.RealtimeSubscribeRequestEvent) error {
		s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
		s.waitUntilIdle()
		return e.Next()
	})
	d.subscribe("notifications/*")
	d.wantEvents("notifications/* create n1")
}

func TestADeviceThatSubscribesAnewGoesOnWhereItWas(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*", "settings/*")
	s.waitUntilIdle()
	busy, free := make(chan struct{}), make(chan struct{})
	s.onQuery = func(query string) {
		if strings.Contains(query, "`settings`.*") {
			close(busy)
			<-free
		}
	}
	s.inTransaction(func(tx core.App) { PersonRowChanged(tx, "ada", "settings") })
	<-busy // ada's worker is held up
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	name := withQuery("notifications/*", `{"fields":"id"}`)
	d.subscribe(name)
	close(free)
	d.wantEvents("settings/* update ada", name+" create n1")
}

func TestASubscribeThatIsRefusedChangesNothing(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	s.app.OnRealtimeSubscribeRequest().BindFunc(func(*core.RealtimeSubscribeRequestEvent) error { return errors.New("not today") })
	if status := d.subscribe("settings/*"); status != 400 {
		t.Errorf("got %d", status)
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); PersonRowChanged(tx, "ada", "settings") })
	d.wantEvents("notifications/* create n1")
	d.wantNothing()
}

func TestATrayRemembersInBounds(t *testing.T) {
	s := startService(t)
	ada, err := readTray(s.app, "ada")
	requireNoError(t, err)
	super := &tray{cursors: map[string]int64{}}
	for i := range 3 * maxTrayCursors {
		super.advanceCursor(fmt.Sprint("person", i), 7)
	}
	if len(super.cursors) > maxTrayCursors+1 {
		t.Errorf("%d people are followed", len(super.cursors))
	}
	moment := func(i int) trayRow { return trayRow{fmt.Sprint("n", i), fmt.Sprintf("2026-01-01 00:00:00.%03dZ", i)} }
	for i := range 3 * maxSentRows {
		if got := ada.actionFor(moment(i)); got != "create" {
			t.Fatalf("row %d: got %s", i, got)
		}
		ada.noteSentRow(moment(i))
		if got := ada.actionFor(moment(i)); got != "update" {
			t.Fatalf("row %d again: got %s", i, got)
		}
	}
	if got := ada.actionFor(moment(0)); got != "update" {
		t.Errorf("the first row: got %s", got)
	}
	if len(ada.sentRows) != maxSentRows {
		t.Errorf("%d rows are remembered", len(ada.sentRows))
	}
}

func TestALargeChangeReachesADeviceThatReadsInOrder(t *testing.T) {
	s := startService(t)
	const n = 400
	s.inTransaction(func(tx core.App) {
		for i := range n {
			s.addNotification(tx, "ada", fmt.Sprint("old", i))
		}
	})
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	s.inTransaction(func(tx core.App) {
		for i := range n {
			s.retractNotification(tx, "ada", fmt.Sprint("old", i))
			s.addNotification(tx, "ada", fmt.Sprint("new", i))
		}
	})
	for i := range n {
		d.wantEvents(fmt.Sprint("notifications/* delete old", i), fmt.Sprint("notifications/* create new", i))
	}
	s.inTransaction(func(tx core.App) {
		s.addNotification(tx, "ada", "new0")
		s.addNotification(tx, "ada", fmt.Sprint("new", n-1))
	})
	d.wantEvents("notifications/* update new0", fmt.Sprint("notifications/* update new", n-1))
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	for client := range s.inbox.devices {
		if got := len(s.inbox.devices[client].tray.sentRows); got > maxSentRows {
			t.Errorf("%d rows are remembered", got)
		}
	}
}

// withQuery returns a topic with options, as the JS SDK writes it.
func withQuery(topic, query string) string {
	return topic + "?options=" + url.QueryEscape(`{"query":`+query+`}`)
}

func TestExpandAndFieldsAreHonoured(t *testing.T) {
	s := startService(t)
	s.app.OnRecordEnrich("users").BindFunc(func(e *core.RecordEnrichEvent) error {
		if e.RequestInfo.Context == core.RequestInfoContextExpand && e.RequestInfo.Auth.Id == "ada" {
			e.Record.WithCustomData(true)
			e.Record.Set("relationship", "for ada")
		}
		return e.Next()
	})
	plain, rich := "notifications/*", withQuery("notifications/*", `{"expand":"actors","fields":"id,expand.actors.handle,expand.actors.relationship","filter":"id=0"}`)
	d, twin := s.connectDevice(s.tokenOf("ada"), plain, rich), s.connectDevice(s.tokenOf("ada"), rich)
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	got := map[string]event{}
	for range 2 {
		e := d.nextEvent()
		got[e.name] = e
	}
	if e := got[plain]; e.Action != "create" || e.Record["type"] != "like" || e.Record["expand"] != nil {
		t.Errorf("got %v %v", e, e.Record)
	}
	const want = "map[expand:map[actors:[map[handle:cyn relationship:for ada]]] id:n1]"
	for _, e := range []event{got[rich], twin.nextEvent()} {
		if e.name != rich || e.Action != "create" || fmt.Sprint(e.Record) != want {
			t.Errorf("got %v %v, want %s", e, e.Record, want)
		}
	}
}

func TestASecondSubscribeReplacesTheFirst(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*", "settings/*")
	d.subscribe("settings/*")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); PersonRowChanged(tx, "ada", "settings") })
	d.wantEvents("settings/* update ada")
	d.wantNothing()
	d.subscribe("notifications/*")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n2"); PersonRowChanged(tx, "ada", "settings") })
	d.wantEvents("notifications/* create n2") // n1 came while it did not listen
	d.wantNothing()
	d.subscribe()
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n3") })
	d.wantNothing()
}

func TestOneRowCanBeListenedToAndACollectionNamedByItsID(t *testing.T) {
	s := startService(t)
	c, err := s.app.FindCollectionByNameOrId("notifications")
	requireNoError(t, err)
	one, byID := s.connectDevice(s.tokenOf("ada"), "notifications/n2"), s.connectDevice(s.tokenOf("ada"), c.Id+"/*")
	s.inTransaction(func(tx core.App) {
		s.addNotification(tx, "ada", "n1")
		s.addNotification(tx, "ada", "n2")
		s.addNotification(tx, "bob", "n3")
	})
	one.wantEvents("notifications/n2 create n2")
	byID.wantEvents(c.Id+"/* create n1", c.Id+"/* create n2")
	byID.wantNothing()
}

func TestASuperuserHearsOfEverybody(t *testing.T) {
	s := startService(t)
	admins, err := s.app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	requireNoError(t, err)
	admin := core.NewRecord(admins)
	admin.SetEmail("root@example.com")
	admin.SetRandomPassword()
	requireNoError(t, s.app.Save(admin))
	token, err := admin.NewAuthToken()
	requireNoError(t, err)
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n0") })
	d := s.connectDevice(token, "notifications/*", "settings/*", "feed/*")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* create n1")
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantEvents("notifications/* update n1")
	s.inTransaction(func(tx core.App) {
		s.addNotification(tx, "bob", "n2")
		s.retractNotification(tx, "bob", "n2")
		PersonRowChanged(tx, "bob", "settings")
	})
	d.wantEvents("notifications/* delete n2", "settings/* update bob")
	s.addPost("bob", "p1", "private")
	s.inTransaction(func(tx core.App) { FeedPostHidden(tx, "bob", "missing") })
	d.wantEvents("feed/* delete bobmissing")
	d.wantNothing()
}

func TestWhoElseIsConnectedCostsNothing(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), withQuery("notifications/*", `{"expand":"actors"}`))
	n := 0
	delivery := func() int64 {
		s.waitUntilIdle()
		before := s.queries.Load()
		n++
		s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", fmt.Sprint("n", n)) })
		if got := d.nextEvent(); got.Record["id"] != fmt.Sprint("n", n) {
			t.Fatalf("got %v", got)
		}
		s.waitUntilIdle()
		return s.queries.Load() - before
	}
	alone := delivery()
	for i := range 1000 {
		other := newDevice(subscriptions.NewDefaultClient(), new(atomic.Int64))
		s.inbox.addDevice(other)
		s.inbox.subscribe(other, &subscription{device: other, person: fmt.Sprint("other", i), topics: parseTopics(s.app, []string{"notifications/*", "feed/*"}), tray: &tray{person: fmt.Sprint("other", i)}})
	}
	if people, devices := s.inbox.ConnectedCount(); people != 1001 || devices != 1001 {
		t.Errorf("got %d people on %d devices", people, devices)
	}
	if among := delivery(); among != alone {
		t.Errorf("%d queries among 1,000 others, %d alone", among, alone)
	}
	t.Logf("%d queries for a delivery", alone)
}

func TestSettingsReachTheirOwner(t *testing.T) {
	s := startService(t)
	ada, bob := s.connectDevice(s.tokenOf("ada"), "settings/*"), s.connectDevice(s.tokenOf("bob"), "settings/*")
	s.inTransaction(func(tx core.App) {
		s.execSQL(tx, `UPDATE settings SET locale = 'de' WHERE user = 'ada'`, nil)
		PersonRowChanged(tx, "ada", "settings")
	})
	if got := ada.nextEvent(); got.String() != "settings/* update ada" || got.Record["locale"] != "de" || got.Record["seq"] != nil {
		t.Errorf("got %v %v", got, got.Record)
	}
	bob.wantNothing()
}

func TestAHookThatPanicsCostsItsPersonTheConnectionAndNobodyElse(t *testing.T) {
	s := startService(t)
	s.app.OnRecordEnrich("settings").BindFunc(func(e *core.RecordEnrichEvent) error {
		switch e.Record.Id {
		case "ada":
			panic("at the disco")
		case "cyn":
			return errors.New("no")
		}
		return e.Next()
	})
	ada, bob, cyn := s.connectDevice(s.tokenOf("ada"), "settings/*"), s.connectDevice(s.tokenOf("bob"), "settings/*"), s.connectDevice(s.tokenOf("cyn"), "settings/*")
	for range 2 * personWorkers {
		s.inTransaction(func(tx core.App) {
			for _, name := range []string{"ada", "bob", "cyn", "nobody"} {
				PersonRowChanged(tx, name, "settings")
			}
		})
		bob.wantEvents("settings/* update bob")
	}
	ada.wantEnd()
	cyn.wantNothing()
}

func TestAStolenMomentDoesNotOutliveTheTokenKey(t *testing.T) {
	s := startService(t)
	d := s.connectGuestDevice("ada")
	// the token is accepted, then its key changes, then the device is subscribed
	s.app.OnRealtimeSubscribeRequest().Bind(bindFirst(func(e *core.RealtimeSubscribeRequestEvent) error {
		s.execSQL(s.app, `UPDATE users SET tokenKey = {:key} WHERE id = 'ada'`, dbx.Params{"key": "another key of at least thirty characters"})
		return e.Next()
	}))
	if status := d.subscribe("notifications/*"); status != 401 {
		t.Errorf("got %d", status)
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1") })
	d.wantNothing()
}

func TestARowIsNewUnlessTheDeviceHasIt(t *testing.T) {
	device := &tray{knownBefore: "b", sentRows: []trayRow{{"sent", "b"}}}
	for _, test := range []struct {
		row  trayRow
		want string
	}{
		{trayRow{"sent", "b"}, "update"},
		{trayRow{"other", "b"}, "create"}, // of the moment of the newest row, and committed after it
		{trayRow{"old", "a"}, "update"},
		{trayRow{"new", "c"}, "create"},
	} {
		if got := device.actionFor(test.row); got != test.want {
			t.Errorf("%v: %s, want %s", test.row, got, test.want)
		}
		device.noteSentRow(test.row)
		if got := device.actionFor(test.row); got != "update" {
			t.Errorf("%v, once it was sent: %s", test.row, got)
		}
	}
}

func TestManyRetractionsAreAllSent(t *testing.T) {
	const many = 2*pageSize + 50
	s := startService(t)
	s.inTransaction(func(tx core.App) {
		for i := range many {
			s.addNotification(tx, "ada", fmt.Sprint("n", i))
		}
	})
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	s.inTransaction(func(tx core.App) {
		for i := range many {
			s.retractNotification(tx, "ada", fmt.Sprint("n", i))
		}
	})
	for i := range many {
		d.wantEvents(fmt.Sprint("notifications/* delete n", i))
	}
	d.wantNothing()
}

func TestWhoSignsInOnTheDeviceOfAnotherHasTheirOwnTray(t *testing.T) {
	s := startService(t)
	d := s.connectDevice(s.tokenOf("ada"), "notifications/*")
	d.serverDevice().Unset(apis.RealtimeClientAuthKey) // as when the tokens of ada die
	d.token = s.tokenOf("bob")
	if status := d.subscribe("notifications/*"); status != http.StatusNoContent {
		t.Fatalf("bob subscribes: %d", status)
	}
	s.inTransaction(func(tx core.App) { s.addNotification(tx, "ada", "n1"); s.addNotification(tx, "bob", "n2") })
	d.wantEvents("notifications/* create n2")
	d.wantNothing()
}
