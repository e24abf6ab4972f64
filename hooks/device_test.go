package hooks_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/doubletap/doubletap/hooks"
	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/testenv"
)

// TestEndpointsAreCheckedAtEveryDoor tries endpoints that no device has, by every way in which a device can be
// written.
func TestEndpointsAreCheckedAtEveryDoor(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, admin := s.As("ada"), s.Admin()
	const records = "/api/collections/devices/records"
	doors := map[string]func(device string, body map[string]any) int{
		"create": func(_ string, body map[string]any) int { return ada.Do("POST", records, body).Status },
		"update": func(id string, body map[string]any) int { return ada.Do("PATCH", records+"/"+id, body).Status },
		"a superuser's create": func(_ string, body map[string]any) int {
			body["user"] = ada.ID
			return admin.Do("POST", records, body).Status
		},
		"a superuser's update": func(id string, body map[string]any) int { return admin.Do("PATCH", records+"/"+id, body).Status },
		"a batch": func(_ string, body map[string]any) int {
			return ada.Do("POST", "/api/batch", jsonObject{"requests": []any{jsonObject{"method": "POST", "url": records, "body": body}}}).Status
		},
		"Go code": func(id string, body map[string]any) int {
			device := s.Record("devices", id)
			device.Load(body)
			if s.App.Save(device) != nil {
				return 400
			}
			return 200
		},
	}
	good := map[string][]string{
		"webpush": {"https://push.example.com/1", "https://push.example.com:8443/%d", "https://[2a00:1450:4001:80f::200e]/1", "https://8.8.8.8/1"},
		"apns":    {apnsToken("good"), strings.Repeat("a", 160)},
		"fcm":     {"dQw4w9WgXcQ:APA91b" + strings.Repeat("x-_", 40)},
	}
	bad := map[string][]string{
		"webpush": {
			"http://push.example.com/1", "push.example.com/1", "https:///1", "https://", "https://ada@push.example.com/1", "https://ada:x@push.example.com/1",
			"ftp://push.example.com/1", "javascript:alert(1)", "https://localhost/1", "https://a.localhost/1", "https://LOCALHOST./1", "https://metadata/1",
			"https://127.0.0.1/1", "https://127.1/1", "https://2130706433/1", "https://0x7f000001/1", "https://0x7f.1/1", "https://10.0.0.1/1", "https://192.168.1.1/1", "https://169.254.169.254/latest",
			"https://[::1]/1", "https://[::ffff:127.0.0.1]/1", "https://[fe80::1%25eth0]/1", "https://[fd00::1]/1", "https://0.0.0.0/1", "https://①②⑦.⓪.⓪.①/1", "https://metadata.google.internal/1", "https://router.local/1", "https://push.example.com/\n", "https://%zz/",
		},
		"apns": {"ab", strings.Repeat("g", 64), strings.Repeat("a", 63), strings.Repeat("a", 201), apnsToken("x")[:60] + "/../"},
		"fcm":  {"pixel", "ada's own phone, the blue one", strings.Repeat("x", 19) + "\n", strings.Repeat("x", 30) + "\"", strings.Repeat("ü", 30)},
	}
	for door, write := range doors {
		t.Run(door, func(t *testing.T) {
			n := 0
			try := func(kind, endpoint string, want int) {
				t.Helper()
				n++
				id := ada.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 1000+n)}).ID()
				if strings.Contains(endpoint, "%d") {
					endpoint = fmt.Sprintf(endpoint, n)
				}
				if got := write(id, jsonObject{"kind": kind, "endpoint": endpoint}); got != want {
					t.Errorf("%s %q is answered %d, want %d", kind, endpoint, got, want)
				}
				if _, err := s.App.NonconcurrentDB().NewQuery("DELETE FROM devices").Execute(); err != nil {
					t.Fatal(err)
				}
			}
			for kind, endpoints := range good {
				for _, endpoint := range endpoints {
					try(kind, endpoint, 200)
				}
			}
			for kind, endpoints := range bad {
				for _, endpoint := range endpoints {
					try(kind, endpoint, 400)
				}
			}
		})
	}
}

func TestAPersonHasTwentyDevices(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, bob := s.As("ada"), s.As("bob")
	bobs := bob.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 999)}).ID()
	var ids []string
	for i := range 20 {
		ids = append(ids, ada.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", i)}).ID())
		s.Advance(time.Minute)
	}
	if again := ada.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 0)}).ID(); again != ids[0] {
		t.Fatalf("the first one again is %s, want %s", again, ids[0])
	}
	s.Advance(time.Minute)
	newest := ada.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 20)}).ID()
	for i, id := range append(ids, newest, bobs) {
		if stays, there := i != 1, s.Record("devices", id) != nil; stays != there { // the first was seen again
			t.Errorf("device %d is there: %v, want %v", i, there, stays)
		}
	}
	if n := s.Rows("devices", "user = {:u}", map[string]any{"u": ada.ID}); n != 20 {
		t.Errorf("ada has %d devices", n)
	}
	// a device that moves to her counts too
	moved := bob.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 21)}).ID()
	s.Advance(time.Minute)
	if got := ada.Create("devices", jsonObject{"kind": "apns", "endpoint": fmt.Sprintf("%064x", 21)}).ID(); got != moved {
		t.Errorf("moved as %s, want %s", got, moved)
	}
	if n := s.Rows("devices", "user = {:u}", map[string]any{"u": ada.ID}); n != 20 || s.Record("devices", ids[2]) != nil {
		t.Errorf("ada has %d devices, and the one unseen for longest is there: %v", n, s.Record("devices", ids[2]) != nil)
	}
}

func TestAnEndpointMovesOnlyWithItsKeys(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada, mallory := s.As("ada"), s.As("mallory")
	device := func(endpoint, auth string) map[string]any {
		return jsonObject{"kind": "webpush", "endpoint": endpoint, "keys": jsonObject{"p256dh": "p", "auth": auth}, "name": "of " + auth}
	}
	const endpoint = "https://push.example.com/ada"
	id := ada.Create("devices", device(endpoint, "secret")).ID()
	owner := func() string { return s.Record("devices", id).GetString("user") }

	refused := mallory.Must(400, "POST", "/api/collections/devices/records", device(endpoint, "guess"))
	mallory.Must(400, "POST", "/api/collections/devices/records", device("https://PUSH.example.com/ada", "guess"))
	mallory.Must(400, "POST", "/api/collections/devices/records", jsonObject{"kind": "webpush", "endpoint": endpoint})
	own := mallory.Create("devices", device("https://push.example.com/mallory", "own")).ID()
	changed := mallory.Must(400, "PATCH", "/api/collections/devices/records/"+own, device(endpoint, "guess"))
	for _, a := range []hookstest.Answer{refused, changed} {
		if strings.Contains(a.Raw, "unique") || strings.Contains(a.Raw, "endpoint") {
			t.Errorf("the answer tells that it is known: %s", a.Raw)
		}
	}
	if owner() != ada.ID || s.Record("devices", id).GetString("name") != "of secret" {
		t.Fatal("the device moved to mallory, who had no key")
	}

	if again := ada.Create("devices", device(endpoint, "renewed")); again.ID() != id || again.Body["name"] != "of renewed" {
		t.Errorf("its owner renewed it as %s", again.Raw)
	}
	if moved := mallory.Create("devices", device(endpoint, "renewed")); moved.ID() != id || moved.Body["user"] != mallory.ID {
		t.Errorf("with its keys it moved as %s", moved.Raw)
	}
	if n := s.Rows("devices", "1"); n != 2 {
		t.Errorf("%d devices, want 2", n)
	}
}

func TestADeviceThatMovesHasNotFailed(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	s := hookstest.New(t)
	ada := s.As("ada")
	id := ada.Create("devices", jsonObject{"kind": "apns", "endpoint": apnsToken("old")}).ID()
	execSQL(t, s.App, "UPDATE devices SET failingSince = '2026-01-01 00:00:00.000Z', answeredAt = '2026-01-01 00:00:00.000Z'")
	ada.Update("devices", id, jsonObject{"name": "phone"})
	if d := s.Record("devices", id); d.GetString("failingSince") == "" {
		t.Error("with another name it has not failed")
	}
	ada.Update("devices", id, jsonObject{"endpoint": apnsToken("new")})
	if d := s.Record("devices", id); d.GetString("failingSince") != "" || d.GetString("answeredAt") != "" {
		t.Errorf("with another endpoint it is failing since %q, answered at %q", d.GetString("failingSince"), d.GetString("answeredAt"))
	}
}

// A device outlives the request that registers it: a caller whose credential ends in between registers none.
func TestNoDeviceIsRegisteredWithACredentialThatEnds(t *testing.T) {
	t.Parallel()
	testenv.SkipSequential(t)
	ending := false
	s := hookstest.New(t, func(app core.App, _ *hooks.Social) {
		app.OnRecordCreateRequest("devices").Bind(&hook.Handler[*core.RecordRequestEvent]{Priority: -20000, Func: func(e *core.RecordRequestEvent) error {
			if ending {
				user, err := e.App.FindRecordById("users", e.Auth.Id)
				if err != nil {
					return err
				}
				user.RefreshTokenKey()
				if err := e.App.Save(user); err != nil {
					return err
				}
			}
			return e.Next()
		}})
	})
	ada, body := s.As("ada"), jsonObject{"kind": "apns", "endpoint": apnsToken("ada")}
	ending = true
	ada.Must(400, "POST", "/api/collections/devices/records", body)
	if n := s.Rows("devices", "1"); n != 0 {
		t.Errorf("%d devices outlive the credential", n)
	}
	ending = false
	s.As("ada").Create("devices", body)
	ending = true
	s.As("carol").Must(400, "POST", "/api/collections/devices/records", body)
	if n := s.Rows("devices", "user = {:u}", jsonObject{"u": ada.ID}); n != 1 || s.Rows("devices", "1") != 1 {
		t.Errorf("the device of ada has moved, she has %d", n)
	}
}
