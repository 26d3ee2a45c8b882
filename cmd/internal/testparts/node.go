package testparts

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// NodeOptions change a Node from the daemon of StartBuildkitd.
type NodeOptions struct {
	// Platform lists the platforms that the node reports, its own first: "linux/amd64,linux/arm64". QEMU runs only the
	// program of a step, not that program's children. Default: what the machine runs.
	Platform string
	// TLS makes it listen on TCP and require a client certificate.
	TLS bool
	// Network gives it a network namespace behind a link of this name. Default: the loopback interface.
	Network *Network
	Link    string
}

// Node is a BuildKit daemon that plays another machine.
type Node struct {
	Addr          string
	CA, Cert, Key string // files, with TLS: the node's CA, and a client certificate that it accepts
	daemon        *daemon
}

// Kill ends the node with SIGKILL.
func (n *Node) Kill() {
	_ = n.daemon.cmd.Process.Kill()
	<-n.daemon.done
}

// StartNode starts a BuildKit daemon for one test. It stops with the test.
func StartNode(t testing.TB, o NodeOptions) *Node {
	t.Helper()
	Need(t, Buildkit)
	dir := newDir(t)
	n := &Node{Addr: "unix://" + filepath.Join(dir, "buildkitd.sock")}
	writeFile(t, filepath.Join(dir, "buildkitd.toml"))
	ip := net.IPv4(127, 0, 0, 1)
	var args []string
	if o.Network != nil {
		var inside []string
		ip, inside = o.Network.attach(t, o.Link)
		args = append(inside, Program(t, "env"))
	}
	args = append(args,
		"PATH="+emulatorLinks(t, dir), Program(t, "buildkitd"), "--config", filepath.Join(dir, "buildkitd.toml"),
		"--root", filepath.Join(dir, "state"), "--oci-worker-net", "host", "--containerd-worker=false",
		"--allow-insecure-entitlement", "security.insecure",
	)
	for _, p := range strings.FieldsFunc(o.Platform, func(r rune) bool { return r == ',' }) {
		args = append(args, "--oci-worker-platform", p)
	}
	if o.TLS {
		n.Addr = "tcp://" + o.port(t, ip)
		n.CA, n.Cert, n.Key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key")
		writeCertificate(t, n.CA, filepath.Join(dir, "server.key"), ip)
		writeCertificate(t, n.Cert, n.Key)
		args = append(args, "--tlscert", n.CA, "--tlskey", filepath.Join(dir, "server.key"), "--tlscacert", n.Cert)
	}
	args = append(args, "--addr", n.Addr)
	program := Program(t, "env")
	if o.Network != nil {
		program = Program(t, "nsenter")
	}
	n.daemon = startDaemon(t, dir, program, args...)
	n.daemon.await(t, func() bool {
		if o.Network != nil {
			return bytes.Contains(n.daemon.output(), []byte("running server on"))
		}
		return listens(n.Addr)
	})
	return n
}

// port returns the address to listen on. In a network of its own every port is free.
func (o NodeOptions) port(t testing.TB, ip net.IP) string {
	if o.Network == nil {
		return freePort(t)
	}
	return ip.String() + ":1234"
}

// emulatorLinks returns a PATH that begins with the emulators under the names that BuildKit looks for.
func emulatorLinks(t testing.TB, dir string) string {
	t.Helper()
	links := filepath.Join(dir, "emulators")
	if err := os.Mkdir(links, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"aarch64", "arm", "s390x", "riscv64", "ppc64le"} {
		if path, err := look("qemu-" + arch + "-static"); err == nil {
			if err := os.Symlink(path, filepath.Join(links, "buildkit-qemu-"+arch)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return strings.Join(append(append([]string{links}, depsDirs()...), os.Getenv("PATH"), "/usr/sbin", "/sbin"), ":")
}

func listens(addr string) bool {
	network, address, _ := strings.Cut(addr, "://")
	conn, err := net.Dial(network, address)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// freePort returns a free address of the loopback interface. It avoids the ephemeral ports, since a connection could
// take one before it is used.
func freePort(t testing.TB) string {
	t.Helper()
	const first, last, tries = 10_000, 32_000, 100
	for range tries {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("found no free port")
	return ""
}
