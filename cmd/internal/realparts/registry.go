package realparts

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// RegistryOptions says what a registry asks for. Zero: plain HTTP, open to everybody.
type RegistryOptions struct {
	// Auth asks for User and Password, by HTTP's basic scheme.
	Auth bool
	// TLS serves HTTPS, with a certificate for 127.0.0.1 and localhost that only CAFile vouches for.
	TLS bool
}

// RunningRegistry is a registry of the distribution project, with its own storage.
type RunningRegistry struct {
	Host           string // "127.0.0.1:41000"
	User, Password string // empty without RegistryOptions.Auth
	CAFile         string // PEM; empty without RegistryOptions.TLS
}

// StartRegistry starts one on a free port of the loopback interface. It stops with the test.
func StartRegistry(t testing.TB, o RegistryOptions) *RunningRegistry {
	t.Helper()
	Need(t, Registry)
	dir, r := newDir(t), &RunningRegistry{}
	config := fmt.Sprintf("version: 0.1\nlog: {accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: true}}\n", dir)
	if o.Auth {
		// The registry takes bcrypt only; this is the hash of the password below.
		r.User, r.Password = "tester", "secret"
		writeFile(t, filepath.Join(dir, "htpasswd"), "tester:"+passwordHash+"\n")
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n", dir)
	}
	tls := ""
	if o.TLS {
		r.CAFile = filepath.Join(dir, "cert.pem")
		writeCertificate(t, r.CAFile, filepath.Join(dir, "key.pem"))
		tls = fmt.Sprintf(", tls: {certificate: %s, key: %s/key.pem}", r.CAFile, dir)
	}
	config += fmt.Sprintf("http: {addr: \"127.0.0.1:0\"%s}\n", tls)
	writeFile(t, filepath.Join(dir, "config.yml"), config)

	d := startDaemon(t, dir, Program(t, "registry"), "serve", filepath.Join(dir, "config.yml"))
	listening := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
	d.await(t, func() bool { // the kernel picked the port, and the log tells it
		if m := listening.FindSubmatch(d.output()); m != nil {
			r.Host = string(m[1])
		}
		return r.Host != ""
	})
	return r
}

const passwordHash = "$2b$04$aB9QUg7/SaGIKAAgE8sqLu3AtH6lZ6N4AOnYK0VctNRtFkBmiBnLy"

func writeFile(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}
