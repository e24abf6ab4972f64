package push

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"doubletap/internal/deliver/outbound"
)

// The tokens of phones. Apple's are hexadecimal; Firebase's have no published form, and none was ever seen with other
// characters or shorter. How long they are at most is the field's to say.
var (
	appleToken    = regexp.MustCompile(`^[0-9a-f]{64,200}$`)
	firebaseToken = regexp.MustCompile(`^[A-Za-z0-9_:.-]{20,}$`)
)

// NormalizeEndpoint returns an endpoint in the one spelling under which it is stored: else the same device could be
// registered once for each spelling.
func NormalizeEndpoint(kind, endpoint string) string {
	switch kind {
	case "apns":
		return strings.ToLower(endpoint)
	case "webpush":
		scheme, rest, ok := strings.Cut(endpoint, "://")
		if !ok {
			return endpoint
		}
		host, path := rest, ""
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			host, path = rest[:i], rest[i:]
		}
		return strings.ToLower(scheme) + "://" + strings.ToLower(host) + path
	}
	return endpoint
}

// CheckEndpoint refuses what no device of the kind has: strangers choose endpoints, and the server asks them.
func CheckEndpoint(client *outbound.Client, kind, endpoint string) error {
	switch kind {
	case "webpush":
		address, err := url.Parse(endpoint)
		if err != nil {
			return errors.New("it is no address")
		}
		return client.Allows(address)
	case "apns":
		if !appleToken.MatchString(endpoint) {
			return errors.New("it is no token of Apple's")
		}
	case "fcm":
		if !firebaseToken.MatchString(endpoint) {
			return errors.New("it is no token of Firebase's")
		}
	}
	return nil
}
