package fcm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/doubletap/doubletap/internal/deliver/delivertest"
	"github.com/doubletap/doubletap/internal/deliver/push"
)

var testMessage = &push.Message{Title: "Bob", Body: "liked your photo", Tag: "abcdefghij12345", Type: "like", Notification: "abcdefghij12345", URL: "https://example.com/p/1", Urgent: true}

func newTestChannel(t *testing.T, firebase *delivertest.Phones) *Channel {
	t.Helper()
	c, err := New(delivertest.NewApp(t), Config{CredentialsFile: firebase.Config, Host: firebase.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAPhoneGetsTheMessage(t *testing.T) {
	firebase := delivertest.NewFirebase(t)
	c := newTestChannel(t, firebase)
	for range 3 {
		if err := c.Push(t.Context(), &push.Device{ID: "d", Endpoint: "phone"}, testMessage); err != nil {
			t.Fatal(err)
		}
	}
	got := firebase.Received()
	if len(got) != 3 || firebase.Tokens != 1 {
		t.Fatalf("got %d messages with %d tokens, want 3 with 1", len(got), firebase.Tokens)
	}
	want := "map[android:map[collapse_key:abcdefghij12345 notification:map[tag:abcdefghij12345] priority:HIGH ttl:86400s] " +
		"apns:map[headers:map[apns-collapse-id:abcdefghij12345 apns-priority:10]] " +
		"data:map[notification:abcdefghij12345 type:like url:https://example.com/p/1] notification:map[body:liked your photo title:Bob] token:phone]"
	if body := fmt.Sprint(got[0].Body["message"]); body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

func TestWhatRefusalsMean(t *testing.T) {
	for code, gone := range map[string]bool{"UNREGISTERED": true, "SENDER_ID_MISMATCH": true, "INVALID_ARGUMENT": false, "THIRD_PARTY_AUTH_ERROR": false} {
		firebase := delivertest.NewFirebase(t)
		firebase.Gone["phone"] = code
		err := newTestChannel(t, firebase).Push(t.Context(), &push.Device{ID: "d", Endpoint: "phone"}, testMessage)
		if err == nil || errors.Is(err, push.ErrDeviceGone) != gone {
			t.Errorf("%s: got %v, want gone %v", code, err, gone)
		}
	}
	for _, status := range []int{429, 503} {
		firebase := delivertest.NewFirebase(t)
		firebase.Down = status
		if err := newTestChannel(t, firebase).Push(t.Context(), &push.Device{ID: "d", Endpoint: "phone"}, testMessage); !strings.Contains(fmt.Sprint(err), "snoozed for 2m0s") {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

func TestAWrongAccountGetsNoToken(t *testing.T) {
	firebase, other := delivertest.NewFirebase(t), delivertest.NewFirebase(t)
	text, err := os.ReadFile(other.Config)
	if err != nil {
		t.Fatal(err)
	}
	firebase.Config = filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(firebase.Config, []byte(strings.ReplaceAll(string(text), other.URL, firebase.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	err = newTestChannel(t, firebase).Push(t.Context(), &push.Device{ID: "d", Endpoint: "phone"}, testMessage)
	if err == nil || errors.Is(err, push.ErrDeviceGone) || strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("got %v", err)
	}
	if n := len(firebase.Received()); n != 0 {
		t.Errorf("%d messages came through", n)
	}
}

func TestConfiguration(t *testing.T) {
	app := delivertest.NewApp(t)
	if c, err := New(app, Config{}); c != nil || err != nil {
		t.Errorf("without credentials: got %v, %v", c, err)
	}
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"/nowhere", empty} {
		if _, err := New(app, Config{CredentialsFile: file}); err == nil {
			t.Errorf("%s: no error", file)
		}
	}
}
