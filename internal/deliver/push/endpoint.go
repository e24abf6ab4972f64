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
		return normalizeURL(endpoint)
	}
	return endpoint
}

// needlessEscape are characters that mean the same with and without an escape.
var needlessEscape = regexp.MustCompile(`%(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])`)

// normalizeURL takes out of an address what makes no other address of it: case of the host, its last dot, the usual port, escapes
// that need none, steps to nowhere and the fragment.
func normalizeURL(endpoint string) string {
	address, err := url.Parse(needlessEscape.ReplaceAllStringFunc(endpoint, func(code string) string {
		plain, _ := url.PathUnescape(code) // the pattern is of valid ones
		return plain
	}))
	if err != nil || address.Host == "" {
		return endpoint
	}
	host, port := strings.TrimSuffix(strings.ToLower(address.Hostname()), "."), address.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && !(port == "443" && address.Scheme == "https") {
		host += ":" + port
	}
	address.Host, address.Fragment, address.RawFragment = host, "", ""
	if strings.Contains(address.Path, "/.") {
		address = address.JoinPath()
	}
	return address.String()
}

// CheckEndpoint refuses what no device of the kind has: strangers choose endpoints, and the server asks them.
func CheckEndpoint(client *outbound.Client, kind, endpoint string) error {
	switch kind {
	case "webpush":
		address, err := url.Parse(endpoint)
		if err != nil {
			return errors.New("it is no address")
		}
		return client.CheckURL(address)
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
