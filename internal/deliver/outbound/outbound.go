// Package outbound sends requests to other people's servers, whose addresses strangers may have chosen: over https, to
// public addresses only, without following redirects, for a few seconds and a few kilobytes, and not at all while they
// are down.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"code.dny.dev/ssrf" // the ranges of IANA, kept up to date, in every spelling
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/idna"
)

// ErrForbidden says that an address is not allowed. Trying again does not help.
var ErrForbidden = errors.New("address not allowed")

// ErrAnswerTooLong says that an answer was longer than Client.MaxBytes.
var ErrAnswerTooLong = errors.New("the answer is too long")

// Client sends requests. Set its fields before the first one.
type Client struct {
	Timeout        time.Duration // for all of a request; 5 seconds by default
	MaxBytes       int64         // bytes of an answer; 64 KiB by default
	BreakerTimeout time.Duration // for how long a host is not asked after MaxFailures failures in a row; 30 seconds by default
	MaxFailures    uint32        // 5 by default

	loopback                          bool
	guard                             *ssrf.Guardian
	loopbackTransport, httpsTransport *http.Transport
	breakers                          breakers
}

// Response is what a server answered.
type Response struct {
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration // 0 where the answer has no such header
}

const storeKey = "doubletap.outbound"

// ClientOf returns the client of app. With DOUBLETAP_LOOPBACK=on it also reaches loopback addresses, even without TLS.
func ClientOf(app core.App) *Client {
	return app.Store().GetOrSet(storeKey, func() any { return New(os.Getenv("DOUBLETAP_LOOPBACK") == "on") }).(*Client)
}

// SetClient makes c the client of app.
func SetClient(app core.App, c *Client) { app.Store().Set(storeKey, c) }

// New returns a client that reaches public addresses and, with loopback, those of this machine.
func New(loopback bool) *Client {
	c := &Client{Timeout: 5 * time.Second, MaxBytes: 64 << 10, BreakerTimeout: 30 * time.Second, MaxFailures: 5, loopback: loopback}
	local := []ssrf.Option{ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")), ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128"))}
	options := []ssrf.Option{ssrf.WithAnyPort()}
	if loopback {
		options = append(options, local...)
	}
	c.guard = ssrf.New(options...)
	c.httpsTransport = newTransport(c.guard)
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	c.loopbackTransport = newTransport(ssrf.New(append(local, ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(everything[0]), ssrf.WithDeniedV6Prefixes(everything[1]))...))
	return c
}

// newTransport returns a transport that dials only what guard allows. The guard checks the address that is dialled,
// after DNS, so that a name cannot point elsewhere in the meantime.
func newTransport(guard *ssrf.Guardian) *http.Transport {
	dialer := &net.Dialer{Control: guard.Safe}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		Proxy:                  nil, // a proxy would do the dialling
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    4,
		MaxIdleConns:           100,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true, // so that the bytes that are counted are the bytes that are read
	}
}

// CheckURL returns ErrForbidden for an address that is never allowed: one without https or without a host, and one
// that names an address or a name of this machine or its network. Where other names point is checked when they are
// dialled.
func (c *Client) CheckURL(u *url.URL) error {
	switch {
	case u.Host == "":
		return fmt.Errorf("%w: it has no host", ErrForbidden)
	case u.Scheme != "https" && !(u.Scheme == "http" && c.loopback):
		return fmt.Errorf("%w: it must be https", ErrForbidden)
	case u.User != nil:
		return fmt.Errorf("%w: it names a user", ErrForbidden)
	case !c.isAllowedHost(strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")):
		return fmt.Errorf("%w: it is here", ErrForbidden)
	}
	return nil
}

// privateNames are top-level names that exist in private networks only.
var privateNames = []string{"internal", "local", "localdomain", "home", "lan", "arpa"}

func (c *Client) isAllowedHost(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return c.guard.SafeAddr(address.Unmap().WithZone("")) == nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return c.loopback
	}
	host, err := idna.Lookup.ToASCII(host) // as DNS is asked: digits of other scripts become digits
	if err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return c.isAllowedHost(host)
	}
	label := host[strings.LastIndexByte(host, '.')+1:]
	if slices.Contains(privateNames, label) {
		return false
	}
	return label != host && label != "" && !strings.ContainsAny(label[:1], "0123456789") // some systems read "127.1" and "0x7f.1" as addresses
}

// Do sends a request and reads the answer, whatever its status. The error is ErrForbidden where the address is not
// allowed, ErrCircuitOpen while the host's circuit breaker is open, and another one when nobody answered in time.
func (c *Client) Do(request *http.Request) (*Response, error) {
	if err := c.CheckURL(request.URL); err != nil {
		return nil, fmt.Errorf("ask %s: %w", request.URL.Host, err)
	}
	end, err := c.breakers.beginRequest(c, request.URL.Host)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", request.URL.Host, err)
	}
	answer, err := c.roundTrip(request)
	end(failureOf(answer, err))
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return nil, fmt.Errorf("ask %s: %w", request.URL.Host, ErrForbidden) // the caller is not to learn which address it was
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", request.URL.Host, err)
	}
	return answer, nil
}

// HTTPClient returns the client in the form that libraries take. It follows no redirects either.
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{
		Transport:     roundTripper{c},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTripper struct{ client *Client }

func (t roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := t.client.Do(request)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: answer.Status, Status: http.StatusText(answer.Status), Header: answer.Header,
		Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)), Request: request,
	}, nil
}

// TrustRoots makes c trust servers whose certificates these roots signed, instead of the system's roots.
func (c *Client) TrustRoots(roots *x509.CertPool) {
	c.httpsTransport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

func (c *Client) roundTrip(request *http.Request) (*Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), c.Timeout)
	defer cancel()
	transport := c.httpsTransport
	if request.URL.Scheme == "http" {
		transport = c.loopbackTransport
	}
	response, err := transport.RoundTrip(request.WithContext(ctx)) // not http.Client, which follows redirects
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, c.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > c.MaxBytes {
		return nil, ErrAnswerTooLong
	}
	return &Response{
		Status: response.StatusCode, Header: response.Header, Body: body,
		RetryAfter: parseRetryAfter(response.Header.Get("Retry-After"), time.Now()),
	}, nil
}
