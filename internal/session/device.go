package session

import (
	"net/netip"
	"strings"

	"github.com/mileusna/useragent"
)

// DeviceName returns what a browser says of itself, as people read it: "Firefox on Linux". It says "Unknown device" of
// what says nothing, and the first word of what is no browser.
func DeviceName(header string) string {
	if len(header) > 500 {
		header = header[:500]
	}
	agent := useragent.Parse(header)
	name, system := clip(agent.Name), clip(agent.OS)
	if agent.Device != "" && (agent.Mobile || agent.Tablet) {
		system = clip(agent.Device)
	}
	switch {
	case name == "":
		return "Unknown device"
	case system == "":
		return name
	}
	return name + " on " + system
}

// clip shortens a word of a header, and takes out what is no text.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text[:min(len(text), 40)])
}

// ShortAddress returns the network of an address, for people to recognize and not to be found by: the /24 of IPv4, and
// the /48 of IPv6.
func ShortAddress(address netip.Addr) string {
	address = address.Unmap()
	bits := 24
	if address.Is6() {
		bits = 48
	}
	network, err := address.Prefix(bits)
	if err != nil || !network.IsValid() {
		return ""
	}
	return network.String()
}
