package inbox_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/clock"
	"github.com/doubletap/doubletap/internal/inbox"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestTheProductLeavesItsConnectionsToTheInbox fails when anything but the inbox handles realtime connections or
// messages, or replaces the response: then each listener would cost what it costs with PocketBase alone.
func TestTheProductLeavesItsConnectionsToTheInbox(t *testing.T) {
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	answer, err := http.Get(s.URL + "/api/realtime")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 || !answer.Close {
		t.Errorf("status %d, Connection: close is %v", answer.StatusCode, answer.Close)
	}
}

// TestAfterAReconnectStormEverybodyHasTheirTray cuts all connections at once while people like and unlike, lets all of
// them come back, and compares what each device then has with the database. DOUBLETAP_STORM=10000 does it with as many
// devices, of 500 people, who all come back within ten seconds.
func TestAfterAReconnectStormEverybodyHasTheirTray(t *testing.T) {
	devices, people := 500, 25
	if testenv.Race {
		devices = 100
	}
	if n, err := strconv.Atoi(os.Getenv("DOUBLETAP_STORM")); err == nil {
		devices, people = n, 500
	}
	s := hookstest.New(t)
	all := make([]*hookstest.Client, people)
	posts := make([]string, people)
	tokens := make([]string, devices)
	for i := range all {
		all[i] = s.Someone(i)
		posts[i] = fmt.Sprintf("post%011d", i)
		_, err := s.App.NonconcurrentDB().NewQuery(`INSERT INTO posts (id, author, photos, visibility, created, updated)
			VALUES ({:id}, {:author}, '[]', 'public', {:now}, {:now})`).Bind(dbx.Params{"id": posts[i], "author": all[i].ID, "now": clock.Timestamp(s.App)}).Execute()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range tokens {
		tokens[i] = all[i%people].Token
	}

	crowd := inbox.NewCrowd(t)
	topics := []string{"notifications/*", "settings/*", "feed/*"}
	crowd.Connect(s.URL, tokens, topics, 0, true)

	enough, likes := make(chan struct{}), atomic.Int64{}
	var liking sync.WaitGroup
	for w := range 4 {
		liking.Go(func() {
			for i := w; ; i += 4 {
				select {
				case <-enough:
					return
				default:
				}
				who, post := all[i%people], posts[(i+1+i/people)%people]
				answer := who.Do("POST", "/api/collections/likes/records", map[string]any{"post": post})
				if answer.Status != 200 {
					t.Errorf("like: status %d: %s", answer.Status, answer.Raw)
					return
				}
				likes.Add(1)
				if i%3 == 0 {
					who.Do("DELETE", "/api/collections/likes/records/"+answer.ID(), nil)
				}
			}
		})
	}
	within := time.Duration(devices) * time.Second / 1000
	took := crowd.Connect(s.URL, tokens, topics, within, true)
	close(enough)
	liking.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d devices came back in %v, during %d likes", devices, took.Round(time.Millisecond), likes.Load())
	if likes.Load() < 20 {
		t.Error("too little happened meanwhile")
	}

	var rows []struct {
		ID        string `db:"id"`
		Recipient string `db:"recipient"`
		Seq       int64  `db:"seq"`
	}
	if err := s.App.DB().NewQuery(`SELECT id, recipient, seq FROM notifications`).All(&rows); err != nil {
		t.Fatal(err)
	}
	want := map[string]inbox.TrayRows{}
	token := map[string]string{}
	for _, who := range all {
		want[who.Token], token[who.ID] = inbox.TrayRows{}, who.Token
	}
	for _, row := range rows {
		want[token[row.Recipient]][row.ID] = row.Seq
	}
	if len(rows) < people/2 {
		t.Errorf("only %d rows to compare", len(rows))
	}
	crowd.Compare(want)
}
