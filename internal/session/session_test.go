package session

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDeviceNamesAreReadable(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "Unknown device",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                   "Chrome on Pixel 9",
		"curl/8.9.1":     "curl",
		"\x00\x1b[31mé☃": "Unknown device",
	} {
		if got := DeviceName(header); got != want {
			t.Errorf("%q is called %q, want %q", header, got, want)
		}
	}
	for _, header := range []string{strings.Repeat("A", 1<<16), strings.Repeat("(;", 1<<15), "A/" + strings.Repeat("é", 1000)} {
		if got := DeviceName(header); len(got) > 100 {
			t.Errorf("%.20q… is called %q", header, got)
		}
	}
}

func FuzzDeviceName(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	f.Fuzz(func(t *testing.T, header string) {
		if got := DeviceName(header); got == "" || len(got) > 100 {
			t.Errorf("%q", got)
		}
	})
}

func TestAddressesAreShortened(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
	} {
		if got := ShortAddress(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is stored as %s, want %s", address, got, want)
		}
	}
	if got := ShortAddress(netip.Addr{}); got != "" {
		t.Errorf("no address is stored as %q", got)
	}
}
