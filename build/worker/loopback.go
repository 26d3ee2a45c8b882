package worker

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// IsProxy reports whether programs take the address of a proxy from the variable.
func IsProxy(name string) bool {
	return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"}, strings.ToUpper(name))
}

// LoopbackPort returns the port of a proxy at this machine's loopback; 0 for another proxy.
func LoopbackPort(proxy string) uint16 {
	u, err := url.Parse(proxy)
	if err != nil {
		return 0
	}
	if addr, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback()) {
		return 0
	}
	port, _ := strconv.ParseUint(u.Port(), 10, 16) // no port is 0
	return uint16(port)
}
