package netns

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// The addresses of a step's network, from 192.0.0.0/29, which RFC 7335 keeps for the inside of a machine, so that they
// are no other network's. The step is at Address. What connects to Gateway reaches this machine as Rules permit.
const (
	Gateway = "192.0.0.1"
	Address = "192.0.0.2"
	prefix  = 29
)

const dnsPort = 53

// Rules are what a step may reach at the gateway. All other addresses are reached as this process reaches them, except
// this machine's loopback.
type Rules struct {
	Resolvers []string // addresses that answer DNS; those after the first are at further addresses, see Nameservers
	Proxies   []uint16 // ports of proxies at this machine's loopback
	Host      bool     // every port of this machine's loopback
}

// Nameservers returns the addresses at which a step reaches its resolvers, of which programs ask three at most.
func (r Rules) Nameservers() []string {
	all := []string{Gateway, "192.0.0.3", "192.0.0.4"}
	return all[:min(len(r.Resolvers), len(all))]
}

// target returns the address that a connection to dst is made to; false if the step must not make it.
func (r Rules) target(network string, dst netip.AddrPort) (string, bool) {
	addr := dst.Addr().Unmap().WithZone("")
	inside := netip.MustParsePrefix(Gateway + "/" + strconv.Itoa(prefix)).Contains(addr)
	switch {
	case !inside:
		return netip.AddrPortFrom(addr, dst.Port()).String(), mayLeave(addr)
	case dst.Port() == dnsPort:
		i := slices.Index(r.Nameservers(), addr.String())
		if i < 0 {
			return "", false
		}
		return net.JoinHostPort(r.Resolvers[i], strconv.Itoa(dnsPort)), true
	case addr.String() != Gateway:
		return "", false
	case r.Host || network == "tcp" && slices.Contains(r.Proxies, dst.Port()):
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dst.Port()).String(), true
	}
	return "", false
}

// mayLeave reports whether an address is another machine's, or this one's as others see it. To the kernel, addresses
// like 0.0.0.0 are this machine's loopback too.
func mayLeave(a netip.Addr) bool {
	if a.Is4() && (a.As4()[0] == 0 || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})) {
		return false
	}
	if b := a.As16(); a.Is6() && netip.AddrFrom16(b).Is6() && [12]byte(b[:12]) == [12]byte{} {
		return false // ::, ::1, and the old spelling of IPv4's addresses
	}
	return a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalMulticast() &&
		(a.Is4() || !a.IsLinkLocalUnicast())
}
