package netns

import (
	"net/netip"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	dns := Rules{Resolvers: []string{"127.0.0.53", "fe80::1%eth0"}}
	proxy := Rules{Proxies: []uint16{3128}}
	host := Rules{Host: true}
	for _, c := range []struct {
		rules       Rules
		network, to string
		want        string // "" if it must not be reached
	}{
		{Rules{}, "tcp", "93.184.216.34:443", "93.184.216.34:443"},
		{Rules{}, "udp", "[2001:db8::1]:53", "[2001:db8::1]:53"},
		{Rules{}, "tcp", "[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
		{Rules{}, "tcp", "127.0.0.1:80", ""},
		{Rules{}, "tcp", "127.9.9.9:80", ""},
		{Rules{}, "tcp", "0.0.0.0:80", ""},
		{Rules{}, "tcp", "0.1.2.3:80", ""},
		{Rules{}, "tcp", "[::]:80", ""},
		{Rules{}, "tcp", "[::1]:80", ""},
		{Rules{}, "tcp", "[::ffff:127.0.0.1]:80", ""},
		{Rules{}, "tcp", "[::ffff:0.0.0.0]:80", ""},
		{Rules{}, "tcp", "[::127.0.0.1]:80", ""},
		{Rules{}, "udp", "224.0.0.251:5353", ""},
		{Rules{}, "udp", "255.255.255.255:67", ""},
		{Rules{}, "tcp", "[fe80::1]:80", ""},
		{Rules{}, "tcp", "192.0.0.1:53", ""},
		{Rules{}, "tcp", "192.0.0.1:80", ""},
		{host, "tcp", "127.0.0.1:80", ""},
		{host, "tcp", "192.0.0.1:80", "127.0.0.1:80"},
		{host, "udp", "192.0.0.1:80", "127.0.0.1:80"},
		{host, "tcp", "192.0.0.3:80", ""},
		{proxy, "tcp", "192.0.0.1:3128", "127.0.0.1:3128"},
		{proxy, "udp", "192.0.0.1:3128", ""},
		{proxy, "tcp", "192.0.0.1:3129", ""},
		{dns, "udp", "192.0.0.1:53", "127.0.0.53:53"},
		{dns, "tcp", "192.0.0.3:53", "[fe80::1%eth0]:53"},
		{dns, "tcp", "192.0.0.4:53", ""},
		{dns, "udp", "192.0.0.1:54", ""},
	} {
		got, ok := c.rules.target(c.network, netip.MustParseAddrPort(c.to))
		if !ok {
			got = ""
		}
		if got != c.want {
			t.Errorf("%s %s by %+v: %q, want %q", c.network, c.to, c.rules, got, c.want)
		}
	}
}
