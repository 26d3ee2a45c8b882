package testparts

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Network is a network namespace for the clients of nodes. It has a link to each node, which has a namespace of its
// own, and no other link. The namespaces end with the test, even if it is killed, and the machine's own network is not
// changed.
type Network struct {
	// Path is the path of the namespace, for nsenter --net.
	Path   string
	dir    string
	holder *daemon
	links  int
}

// StartNetwork makes a network.
func StartNetwork(t testing.TB) *Network {
	t.Helper()
	Need(t, Netns)
	n := &Network{dir: newDir(t)}
	n.holder, n.Path = startNamespace(t, n.dir)
	return n
}

// startNamespace starts an idle process in a new network namespace with its loopback interface up.
func startNamespace(t testing.TB, dir string) (*daemon, string) {
	t.Helper()
	up := filepath.Join(dir, "up")
	d := startDaemon(t, dir, Program(t, "unshare"), "--net", "--", "sh", "-c",
		`ip link set lo up && : >"$1" && exec sleep infinity`, "sh", up)
	d.await(t, func() bool { _, err := os.Stat(up); return err == nil })
	return d, fmt.Sprintf("/proc/%d/ns/net", d.cmd.Process.Pid)
}

// attach makes a namespace for a node and a link to it, which has this name in n. It returns the node's address and
// nsenter's arguments to run a program there.
func (n *Network) attach(t testing.TB, link string) (net.IP, []string) {
	t.Helper()
	d, path := startNamespace(t, newDir(t))
	n.links++
	here, there := net.IPv4(10, 77, byte(n.links), 1), net.IPv4(10, 77, byte(n.links), 2)
	pid := func(d *daemon) string { return strconv.Itoa(d.cmd.Process.Pid) }
	run(t, "ip", "link", "add", "name", link, "netns", pid(n.holder), "type", "veth", "peer", "name", "eth0",
		"netns", pid(d))
	for _, end := range []struct {
		path, link string
		ip         net.IP
	}{{n.Path, link, here}, {path, "eth0", there}} {
		run(t, "nsenter", "--net="+end.path, "ip", "addr", "add", end.ip.String()+"/30", "dev", end.link)
		run(t, "nsenter", "--net="+end.path, "ip", "link", "set", end.link, "up")
	}
	return there, []string{"--net=" + path, "--"}
}

// run runs a program, which must succeed.
func run(t testing.TB, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), Program(t, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}
