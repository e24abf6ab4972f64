package push

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/doubletap/doubletap/internal/deliver/outbound"
)

// The tokens of phones. Apple's are hexadecimal. Firebase's have no published form, and none was ever seen with other
// characters or shorter. The field of the collection limits their length.
var (
	appleToken    = regexp.MustCompile(`^[0-9a-f]{64,200}$`)
	firebaseToken = regexp.MustCompile(`^[A-Za-z0-9_:.-]{20,}$`)
)

// NormalizeEndpoint returns an endpoint in the one spelling in which it is stored: otherwise the same device could be
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

// needlessEscape matches escapes of characters that mean the same without an escape.
var needlessEscape = regexp.MustCompile(`%(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])`)

// normalizeURL removes from an address what makes no difference: upper case and the last dot of the host, the default
// port, needless escapes, steps such as /./ and the fragment.
func normalizeURL(endpoint string) string {
	address, err := url.Parse(needlessEscape.ReplaceAllStringFunc(endpoint, func(code string) string {
		plain, _ := url.PathUnescape(code) // the pattern matches valid escapes only
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

// CheckEndpoint returns an error for an endpoint that no device of the kind has: strangers choose endpoints, and the
// server sends requests there.
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
