package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// ProxiesVariable is the environment variable that names the proxies in front of the service, by address or network, such
// as "127.0.0.1, 10.0.0.0/8".
const ProxiesVariable = "DOUBLETAP_TRUSTED_PROXIES"

// defaultForwardHeader is what a proxy says the client's address in, unless the settings name other headers.
const defaultForwardHeader = "X-Forwarded-For"

// TrustedProxies are the peers that are believed when they say for whom they ask.
type TrustedProxies struct {
	networks []netip.Prefix
	warn     sync.Once
}

// ProxiesFromEnvironment returns the proxies of ProxiesVariable. A mistake in it is an error, so call it when the service
// starts.
func ProxiesFromEnvironment() (*TrustedProxies, error) {
	p := &TrustedProxies{}
	for _, text := range strings.FieldsFunc(os.Getenv(ProxiesVariable), func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(text); err != nil {
				return nil, fmt.Errorf("%s: %q is neither an address nor a network such as 10.0.0.0/8", ProxiesVariable, text)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		p.networks = append(p.networks, network.Masked())
	}
	return p, nil
}

func (p *TrustedProxies) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// ResolveClient is the middleware that makes a request come from the client for whom a trusted proxy asks. From then on the
// request's RemoteAddr is the client's, and PocketBase's RealIP too, also where the settings name headers: PocketBase would
// believe those of anybody.
func (p *TrustedProxies) ResolveClient(e *core.RequestEvent) error {
	named := e.App.Settings().TrustedProxy.Headers
	forwarded := forwardHeader(e.Request, named)
	if forwarded == "" {
		return e.Next()
	}
	at, err := netip.ParseAddrPort(e.Request.RemoteAddr)
	if err != nil {
		return e.Next() //nolint:nilerr // a test's request that came over no connection
	}
	peer := at.Addr().Unmap()
	client := peer
	if p.trusts(peer) {
		client = p.clientOf(e.Request, peer, forwarded)
		e.Request.RemoteAddr = netip.AddrPortFrom(client, at.Port()).String()
	} else if len(named) > 0 || peer.IsLoopback() || peer.IsPrivate() {
		p.warn.Do(func() {
			e.App.Logger().Warn("a proxy forwards requests and is not trusted: all who come by it share the limits of one address, until "+ProxiesVariable+" names it", "address", peer.String())
		})
	}
	for _, name := range named {
		if e.Request.Header.Get(name) != "" {
			e.Request.Header.Set(name, client.String())
		}
	}
	return e.Next()
}

// forwardHeader returns the first of the named headers that a request has, empty if it has none. The others are not
// looked at: what a proxy does not write itself, it passes on from the client.
func forwardHeader(r *http.Request, named []string) string {
	if len(named) == 0 {
		named = []string{defaultForwardHeader}
	}
	at := slices.IndexFunc(named, func(name string) bool { return len(r.Header.Values(name)) > 0 })
	if at < 0 {
		return ""
	}
	return named[at]
}

// clientOf returns the last address of a forwarded header that is not a trusted proxy's own: a client may have written
// whatever it likes in front of it.
func (p *TrustedProxies) clientOf(r *http.Request, peer netip.Addr, forwarded string) netip.Addr {
	client := peer
	hops := strings.Split(strings.Join(r.Header.Values(forwarded), ","), ",")
	for _, hop := range slices.Backward(hops) {
		address, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = address; !p.trusts(address) {
			break
		}
	}
	return client
}

// parseHop reads an address, perhaps with a port, as some proxies write it.
func parseHop(text string) (netip.Addr, error) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read the address of a hop: %w", err)
	}
	return address.Unmap().WithZone(""), nil
}
