package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/doubletap/doubletap/hooks/hookstest"
	"github.com/doubletap/doubletap/internal/limit"
	"github.com/doubletap/doubletap/internal/testenv"
	"github.com/doubletap/doubletap/internal/web"
)

// forwarded returns the status of a guest's read, or of a superuser's look at their own address, that says for whom it comes.
func forwarded(t *testing.T, s *hookstest.Service, token string, headers map[string]string) (status int, address string) {
	t.Helper()
	path := "/api/collections/posts/records"
	if token != "" {
		path = "/api/health"
	}
	request, err := http.NewRequest("GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Authorization", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body struct{ Data struct{ RealIP string } }
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body.Data.RealIP
}

// TestAForgedAddressDoesNotEscape comes from this machine, which is no trusted proxy, as somebody else each time.
func TestAForgedAddressDoesNotEscape(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	for name, trusted := range map[string]string{"none": "", "another": "192.0.2.1, 198.51.100.0/24"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(limit.EnvVariable, "reads-address=3/5m")
			t.Setenv(web.ProxiesVariable, trusted)
			s := hookstest.New(t)
			for _, named := range [][]string{nil, {"X-Forwarded-For", "CF-Connecting-IP"}} {
				forgetLimits(s)
				s.Admin().Must(200, "PATCH", "/api/settings", jsonObject{"trustedProxy": jsonObject{"headers": named, "useLeftmostIP": false}})
				for n := range 5 {
					headers := map[string]string{}
					for _, header := range []string{"X-Forwarded-For", "CF-Connecting-IP", "X-Real-IP", "Forwarded"} {
						headers[header] = fmt.Sprint("198.51.100.", n)
					}
					want := 200
					if n >= 3 {
						want = 429
					}
					if status, _ := forwarded(t, s, "", headers); status != want {
						t.Errorf("with %v, request %d is %d, want %d", named, n, status, want)
					}
					if _, address := forwarded(t, s, s.Admin().Token, headers); address != "127.0.0.1" {
						t.Errorf("with %v, PocketBase takes it for %s", named, address)
					}
				}
			}
		})
	}
}

// TestATrustedProxySaysForWhomItAsks comes from this machine, which is one.
func TestATrustedProxySaysForWhomItAsks(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(limit.EnvVariable, "reads-address=2/5m")
	t.Setenv(web.ProxiesVariable, "127.0.0.1 ::1,10.0.0.0/8")
	s := hookstest.New(t)
	for _, hop := range []struct{ forwarded, want string }{
		{"203.0.113.7", "203.0.113.7"},
		{"6.6.6.6, 203.0.113.7", "203.0.113.7"}, // the client wrote the first
		{"203.0.113.7, 10.1.2.3", "203.0.113.7"},
		{"203.0.113.7:4711", "203.0.113.7"},
		{"::ffff:203.0.113.7", "203.0.113.7"},
		{"[2001:db8:1:2::5]:4711", "2001:0db8:0001:0002:0000:0000:0000:0005"},
		{"unknown", "127.0.0.1"},
		{"6.6.6.6, unknown", "127.0.0.1"},
		{"203.0.113.7, unknown, 10.1.2.3", "10.1.2.3"},
		{"", "127.0.0.1"},
	} {
		if _, address := forwarded(t, s, s.Admin().Token, map[string]string{"X-Forwarded-For": hop.forwarded}); address != hop.want {
			t.Errorf("%q is taken for %s, want %s", hop.forwarded, address, hop.want)
		}
	}
	read := func(address string) int {
		status, _ := forwarded(t, s, "", map[string]string{"X-Forwarded-For": address})
		return status
	}
	for n := range 20 { // an honest crowd
		if got := read(fmt.Sprint("203.0.113.", n)); got != 200 {
			t.Errorf("guest %d is %d", n, got)
		}
	}
	for n, want := range []int{200, 200, 429} { // one household, and a forger
		if got := read(fmt.Sprintf("2001:db8:1:2::%d", n)); got != want {
			t.Errorf("request %d of one /64 is %d, want %d", n, got, want)
		}
		if got := read(fmt.Sprintf("6.6.6.%d, 198.51.100.9", n)); got != want {
			t.Errorf("request %d of a forger is %d, want %d", n, got, want)
		}
	}
	s.Admin().Must(200, "PATCH", "/api/settings", jsonObject{"trustedProxy": jsonObject{"headers": []string{"CF-Connecting-IP"}, "useLeftmostIP": true}})
	_, address := forwarded(t, s, s.Admin().Token, map[string]string{"X-Forwarded-For": "6.6.6.6", "CF-Connecting-IP": "203.0.113.8"})
	if address != "203.0.113.8" {
		t.Errorf("the owner's header is taken for %s", address)
	}
}

// TestTheFirstNamedHeaderDecides sends another beside it, as a client may whose proxy does not know that header.
func TestTheFirstNamedHeaderDecides(t *testing.T) {
	testenv.SkipSequential(t)
	skipWithoutFastPath(t)
	t.Setenv(web.ProxiesVariable, "127.0.0.1, 10.0.0.0/8")
	s := hookstest.New(t)
	s.Admin().Must(200, "PATCH", "/api/settings", jsonObject{"trustedProxy": jsonObject{"headers": []string{"X-Real-IP", "X-Forwarded-For"}, "useLeftmostIP": false}})
	for real, want := range map[string]string{"203.0.113.7": "203.0.113.7", "10.1.2.3": "10.1.2.3", "unknown": "127.0.0.1"} {
		if _, address := forwarded(t, s, s.Admin().Token, map[string]string{"X-Real-IP": real, "X-Forwarded-For": "6.6.6.6"}); address != want {
			t.Errorf("%q is taken for %s, want %s", real, address, want)
		}
	}
	if _, address := forwarded(t, s, s.Admin().Token, map[string]string{"X-Forwarded-For": "203.0.113.8"}); address != "203.0.113.8" {
		t.Errorf("the second header alone is taken for %s", address)
	}
}

// TestAMistakeInTheProxiesStopsTheStart: none of them is left out without a word.
func TestAMistakeInTheProxiesStopsTheStart(t *testing.T) {
	for _, text := range []string{"localhost", "10.0.0.0/33", "127.0.0.1;::1", "10.*"} {
		t.Setenv(web.ProxiesVariable, text)
		if _, err := web.ProxiesFromEnvironment(); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
