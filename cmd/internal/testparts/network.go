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

// Network is a network namespace for those who use nodes, with a link to each node and to nothing else. Nodes have
// namespaces of their own. All of them live as long as processes do that end with the test, even when it is killed, and
// the links go with them: the machine's own network sees none of it.
type Network struct {
	// Path is the namespace, for nsenter --net.
	Path   string
	dir    string
	holder *daemon
	links  int
}

// StartNetwork makes one.
func StartNetwork(t testing.TB) *Network {
	t.Helper()
	Need(t, Netns)
	n := &Network{dir: newDir(t)}
	n.holder, n.Path = startNamespace(t, n.dir)
	return n
}

// startNamespace starts a process that does nothing in a network namespace of its own, whose loopback interface is up.
func startNamespace(t testing.TB, dir string) (*daemon, string) {
	t.Helper()
	up := filepath.Join(dir, "up")
	d := startDaemon(t, dir, Program(t, "unshare"), "--net", "--", "sh", "-c",
		`ip link set lo up && : >"$1" && exec sleep infinity`, "sh", up)
	d.await(t, func() bool { _, err := os.Stat(up); return err == nil })
	return d, fmt.Sprintf("/proc/%d/ns/net", d.cmd.Process.Pid)
}

// attach makes a namespace for a node and a link to it, which has this name in n. It gives the node's address, and what
// nsenter is told to run a program there.
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

// run runs a program that must succeed.
func run(t testing.TB, program string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), Program(t, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, out)
	}
}
