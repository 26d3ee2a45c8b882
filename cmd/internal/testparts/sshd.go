package testparts

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SSHServer is an SSH server on the loopback interface. Root logs in with a key of the test.
type SSHServer struct {
	Addr   string // ssh://root@127.0.0.1:PORT
	Config string // the client's configuration, for ssh -F: its key and the known host
}

// StartSSHServer starts a server. In its sessions buildctl and docker use the BuildKit or the Docker Engine at host. It
// stops with the test.
func StartSSHServer(t testing.TB, host string) *SSHServer {
	t.Helper()
	Need(t, SSH)
	dir := newDir(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, key := range []string{"host", "client"} {
		run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file(key))
	}
	port, hostKey := freePort(t), readFile(t, file("host.pub"))
	_, number, _ := net.SplitHostPort(port)
	s := &SSHServer{Addr: "ssh://root@" + port, Config: file("client.config")}
	writeFile(t, file("known"), "["+strings.Replace(port, ":", "]:", 1)+" "+hostKey)
	writeFile(t, s.Config, "Host *", "IdentityFile "+file("client"), "IdentitiesOnly yes",
		"UserKnownHostsFile "+file("known"), "GlobalKnownHostsFile none", "BatchMode yes")
	path := strings.Join(append(depsDirs(), os.Getenv("PATH")), ":")
	writeFile(t, file("sshd.config"),
		"ListenAddress "+port, "HostKey "+file("host"), "AuthorizedKeysFile "+file("client.pub"), "PidFile none",
		"StrictModes no",
		"UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		fmt.Sprintf("SetEnv PATH=%s BUILDKIT_HOST=%[2]s DOCKER_HOST=%[2]s", path, host))
	// sshd needs a user of its own and a directory below /run, which the machine must not get. /etc is replaced as a
	// whole: useradd replaces the file passwd, which would undo a mount on the file alone.
	if err := errors.Join(os.MkdirAll(file("run/sshd"), 0o755), os.Mkdir(file("etc"), 0o755)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, file("etc/passwd"), "root:*:0:0:root:/:/bin/sh", "sshd:*:65533:65533::/:/bin/false", "")
	writeFile(t, file("etc/shadow"), "root:*:1::::::", "")
	if err := os.Chmod(file("etc/passwd"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, dir, Program(t, "unshare"), "--mount", "--", "sh", "-c",
		`mount --bind "$1/run" /run && mount --bind "$1/etc" /etc && exec "$2" -D -e -f "$1/sshd.config"`,
		"sh", dir, Program(t, "sshd"))
	d.await(t, func() bool { return listens("tcp://127.0.0.1:" + number) })
	return s
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
