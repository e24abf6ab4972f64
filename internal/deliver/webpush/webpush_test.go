package webpush

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/outbound"
	"github.com/doubletap/doubletap/internal/deliver/push"
	"github.com/doubletap/doubletap/internal/job"
)

func newTestChannel(t *testing.T, app core.App) *Channel {
	t.Helper()
	c, err := New(app)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newTestDevice(t *testing.T, b *delivertest.Browsers, name, key string) *push.Device {
	t.Helper()
	endpoint, keys := b.Subscribe(name, key)
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	return &push.Device{ID: name, Kind: "webpush", Endpoint: endpoint, Keys: string(text)}
}

var testMessage = &push.Message{Title: "Bob", Body: "liked your photo", Tag: "abcdefghij12345", Type: "like", Notification: "abcdefghij12345", URL: "https://example.com/p/1"}

func TestABrowserReadsWhatItIsSent(t *testing.T) {
	app := delivertest.NewApp(t)
	app.Settings().Meta.SenderAddress = "post@example.com"
	b, c := delivertest.NewBrowsers(t), newTestChannel(t, app)
	if err := c.Push(t.Context(), newTestDevice(t, b, "adas", c.PublicKey()), testMessage); err != nil {
		t.Fatal(err)
	}
	got := b.Received()
	if len(got) != 1 {
		t.Fatalf("got %d messages, want 1", len(got))
	}
	if got[0].Body["title"] != "Bob" || got[0].Body["body"] != "liked your photo" || got[0].Body["url"] != "https://example.com/p/1" || got[0].Body["tag"] != testMessage.Tag {
		t.Errorf("got %v", got[0].Body)
	}
	h := got[0].Header
	if h.Get("TTL") != "86400" || h.Get("Urgency") != "normal" || h.Get("Topic") != testMessage.Tag || got[0].Subject != "mailto:post@example.com" {
		t.Errorf("got headers %v, subject %s", h, got[0].Subject)
	}
	if got[0].Size > 1024 {
		t.Errorf("a short message takes %d bytes", got[0].Size)
	}
	urgent := *testMessage
	urgent.Urgent = true
	if err := c.Push(t.Context(), newTestDevice(t, b, "adas", c.PublicKey()), &urgent); err != nil {
		t.Fatal(err)
	}
	if got := b.Received()[1].Header.Get("Urgency"); got != "high" {
		t.Errorf("urgency: got %s, want high", got)
	}
}

func TestTheKeysAreMadeOnceAndSealed(t *testing.T) {
	app := delivertest.NewApp(t)
	if first, second := newTestChannel(t, app).PublicKey(), newTestChannel(t, app).PublicKey(); first != second || len(first) != 87 {
		t.Errorf("got %s, then %s", first, second)
	}
	t.Setenv("DELIVER_TEST_KEY", "0123456789abcdef0123456789abcdef")
	safe := core.NewBaseApp(core.BaseAppConfig{DataDir: app.DataDir(), EncryptionEnv: "DELIVER_TEST_KEY"})
	if err := safe.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer safe.ClearBootstrap() //nolint:errcheck // the test is over
	if newTestChannel(t, safe).PublicKey() != newTestChannel(t, app).PublicKey() {
		t.Error("a key that came later changed what there was")
	}
	if _, err := safe.DB().NewQuery("DELETE FROM secrets").Execute(); err != nil {
		t.Fatal(err)
	}
	c := newTestChannel(t, safe)
	var stored string
	if err := safe.DB().NewQuery("SELECT value FROM secrets WHERE name = 'vapid'").Row(&stored); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stored, c.private) || strings.Contains(stored, c.public) {
		t.Error("the keys are stored as they are")
	}
	if again := newTestChannel(t, safe); again.private != c.private {
		t.Error("the keys did not come back")
	}
	if _, err := New(app); err == nil {
		t.Error("sealed keys were read without the key")
	}
}

func TestLongTextsAreCutToFourKilobytes(t *testing.T) {
	b, c := delivertest.NewBrowsers(t), newTestChannel(t, delivertest.NewApp(t))
	for _, text := range []string{strings.Repeat("a", 10_000), strings.Repeat("ü", 5_000), strings.Repeat("\"\n", 5_000), strings.Repeat("👪", 3_000)} {
		m := *testMessage
		m.Body = text
		if err := c.Push(t.Context(), newTestDevice(t, b, "adas", c.PublicKey()), &m); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range b.Received() {
		body, _ := got.Body["body"].(string)
		if got.Size > 4096 || len(body) < 1000 || strings.ContainsRune(body, '\uFFFD') || !strings.HasSuffix(body, "…") {
			t.Errorf("got %d bytes, text of %d: %.20s", got.Size, len(body), body)
		}
	}
	m := *testMessage
	m.Title = strings.Repeat("a", 5_000)
	if err := c.Push(t.Context(), newTestDevice(t, b, "adas", c.PublicKey()), &m); err == nil || len(b.Received()) != 4 {
		t.Errorf("a title of 5 KB: got %v", err)
	}
}

// TestABrowserThatNamesAnAddressOfOursIsGone: the device has chosen the address, so its row can go.
func TestABrowserThatNamesAnAddressOfOursIsGone(t *testing.T) {
	b, c := delivertest.NewBrowsers(t), newTestChannel(t, delivertest.NewApp(t))
	d := newTestDevice(t, b, "adas", c.PublicKey())
	d.Endpoint = "https://10.0.0.1/push"
	if err := c.Push(t.Context(), d, testMessage); !errors.Is(err, push.ErrDeviceGone) {
		t.Errorf("got %v", err)
	}
}

func TestWhatAnswersMean(t *testing.T) {
	isGone := func(err error) bool { return errors.Is(err, push.ErrDeviceGone) }
	waits := func(d time.Duration) func(error) bool {
		return func(err error) bool { return strings.Contains(fmt.Sprint(err), "snoozed for "+d.String()) }
	}
	fails := func(err error) bool {
		return err != nil && !isGone(err) && !strings.Contains(err.Error(), "snoozed")
	}
	for _, c := range []struct {
		what       string
		status     int
		retryAfter string
		want       func(error) bool
	}{
		{"created", 201, "", func(err error) bool { return err == nil }},
		{"accepted", 202, "", func(err error) bool { return err == nil }},
		{"not found", 404, "", isGone},
		{"gone", 410, "", isGone},
		{"too many", 429, "90", waits(90 * time.Second)},
		{"unavailable for a while", 503, "120", waits(2 * time.Minute)},
		{"unavailable", 503, "", fails},
		{"broken", 500, "", fails},
		{"too large", 413, "", fails},
		{"elsewhere", 301, "", fails},
	} {
		t.Run(c.what, func(t *testing.T) {
			b, ch := delivertest.NewBrowsers(t), newTestChannel(t, delivertest.NewApp(t))
			b.SetAnswer(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", c.retryAfter)
				w.WriteHeader(c.status)
				return false
			})
			if err := ch.Push(t.Context(), newTestDevice(t, b, "adas", ch.PublicKey()), testMessage); !c.want(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBrowsersThatCanNeverBeReachedAreGone(t *testing.T) {
	app := delivertest.NewApp(t)
	outbound.SetClient(app, outbound.New(false))
	b, c := delivertest.NewBrowsers(t), newTestChannel(t, app)
	good := newTestDevice(t, b, "adas", c.PublicKey())
	for what, d := range map[string]*push.Device{
		"a private address":       good,
		"no keys":                 {ID: "1", Endpoint: good.Endpoint, Keys: "null"},
		"keys that are no JSON":   {ID: "1", Endpoint: good.Endpoint, Keys: "p256dh"},
		"keys that are none":      {ID: "1", Endpoint: good.Endpoint, Keys: `{"p256dh":"AAAA","auth":"AAAA"}`},
		"an address that is none": {ID: "1", Endpoint: "://", Keys: good.Keys},
		"not over https":          {ID: "1", Endpoint: "http://push.example.com/", Keys: good.Keys},
	} {
		if err := c.Push(t.Context(), d, testMessage); !errors.Is(err, push.ErrDeviceGone) {
			t.Errorf("%s: got %v, want %v", what, err, push.ErrDeviceGone)
		}
	}
	if len(b.Received()) != 0 {
		t.Error("it was reached")
	}
}

func TestAPushServiceThatIsDownRests(t *testing.T) {
	app := delivertest.NewApp(t)
	outbound.ClientOf(app).BreakerTimeout = time.Hour
	b, c := delivertest.NewBrowsers(t), newTestChannel(t, app)
	b.SetAnswer(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return false
	})
	d := newTestDevice(t, b, "adas", c.PublicKey())
	for range 5 {
		if err := c.Push(t.Context(), d, testMessage); err == nil {
			t.Fatal("got no error")
		}
	}
	if err := c.Push(t.Context(), d, testMessage); !strings.Contains(fmt.Sprint(err), job.Snooze(time.Hour).Error()) {
		t.Errorf("got %v, want a snooze", err)
	}
}
