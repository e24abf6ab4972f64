package push

import "testing"

func TestAnEndpointHasOneSpelling(t *testing.T) {
	const plain = "https://push.example.com/alice?k=%2F"
	for _, spelled := range []string{
		plain, "HTTPS://Push.Example.COM/alice?k=%2F", "https://push.example.com:443/alice?k=%2F", "https://push.example.com./alice?k=%2F",
		"https://push.example.com/%61lice?k=%2F", "https://push.example.com/./alice?k=%2F", "https://push.example.com/x/../alice?k=%2F",
		"https://push.example.com/alice?k=%2F#f",
	} {
		if got := NormalizeEndpoint("webpush", spelled); got != plain {
			t.Errorf("%s became %s", spelled, got)
		}
	}
	for _, other := range []string{"https://push.example.com/Alice", "https://push.example.com:8443/alice", "https://push.example.com/a//b", "https://[2a00:1450:4001:80f::200e]/1", "no address"} {
		if got := NormalizeEndpoint("webpush", other); got != other {
			t.Errorf("%s became %s", other, got)
		}
	}
}
