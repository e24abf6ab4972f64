package setup

import "testing"

func TestURL(t *testing.T) {
	for _, c := range []struct {
		addr    string
		tls     bool
		domains []string
		want    string
	}{
		{"127.0.0.1:8090", false, nil, "http://127.0.0.1:8090"},
		{"localhost:9000", false, nil, "http://localhost:9000"},
		{"0.0.0.0:8090", false, nil, "http://127.0.0.1:8090"},
		{":8090", false, nil, "http://127.0.0.1:8090"},
		{"[::]:8090", false, nil, "http://127.0.0.1:8090"},
		{"[::1]:8090", false, nil, "http://[::1]:8090"},
		{"[::1]:80", false, nil, "http://[::1]"},
		{"photos.example.com:80", false, nil, "http://photos.example.com"},
		{"photos.example.com:http", false, nil, "http://photos.example.com"},
		{"photos.example.com:443", true, nil, "https://photos.example.com"},
		{"0.0.0.0:443", true, []string{"photos.example.com", "www.example.com"}, "https://photos.example.com"},
		{"0.0.0.0:8443", true, []string{"photos.example.com"}, "https://photos.example.com:8443"},
		{"", false, nil, "http://127.0.0.1"},
	} {
		if got := ReachableURL(c.addr, c.tls, c.domains...); got != c.want {
			t.Errorf("%q, %v, %v: got %s, want %s", c.addr, c.tls, c.domains, got, c.want)
		}
	}
}
