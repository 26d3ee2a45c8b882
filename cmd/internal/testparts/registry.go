package testparts

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// RegistryOptions configure a registry. Zero: plain HTTP, without a login, with deletion.
type RegistryOptions struct {
	// Auth requires User and Password by HTTP basic authentication.
	Auth bool
	// Token sends clients to a token server, which accepts User and Password, or IdentityToken. OneScope makes it refuse
	// requests for more than one repository.
	Token, OneScope bool
	// TLS serves HTTPS with a certificate for 127.0.0.1 and localhost, signed by CAFile.
	TLS bool
	// NoDelete refuses deletion.
	NoDelete bool
	// NoMount puts a proxy in front that turns every mount into an upload.
	NoMount bool
	// ReadOnly serves the content of another registry and refuses pushes.
	ReadOnly *RunningRegistry
}

// RunningRegistry is a registry of the distribution project, with its own storage.
type RunningRegistry struct {
	Host           string // "127.0.0.1:41000"
	User, Password string // empty without RegistryOptions.Auth and Token
	IdentityToken  string // empty without RegistryOptions.Token
	CAFile         string // PEM; empty without RegistryOptions.TLS

	dir string
}

// StartRegistry starts a registry on a free port of the loopback interface. It stops with the test.
func StartRegistry(t testing.TB, o RegistryOptions) *RunningRegistry {
	t.Helper()
	Need(t, Registry)
	r := &RunningRegistry{dir: newDir(t)}
	writeFile(t, filepath.Join(r.dir, "config.yml"), r.storage(o), r.auth(t, o), r.http(t, o))

	d := startDaemon(t, r.dir, Program(t, "registry"), "serve", filepath.Join(r.dir, "config.yml"))
	listening := regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
	d.await(t, func() bool { // the kernel picks the port, which is in the log
		if m := listening.FindSubmatch(d.output()); m != nil {
			r.Host = string(m[1])
		}
		return r.Host != ""
	})
	if o.NoMount {
		r.Host = withoutMounts(t, r.Host)
	}
	return r
}

func (r *RunningRegistry) storage(o RegistryOptions) string {
	dir, maintenance := r.dir, ""
	if o.ReadOnly != nil {
		dir, maintenance = o.ReadOnly.dir, ", maintenance: {readonly: {enabled: true}}"
	}
	return fmt.Sprintf(
		"version: 0.1\nlog: {accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s/data}, delete: {enabled: %t}%s}",
		dir, !o.NoDelete, maintenance)
}

func (r *RunningRegistry) auth(t testing.TB, o RegistryOptions) string {
	t.Helper()
	if !o.Auth && !o.Token {
		return ""
	}
	r.User, r.Password = "tester", "secret"
	if o.Token {
		s := startTokenServer(t, r, o.OneScope)
		return fmt.Sprintf("auth: {token: {realm: %q, service: %s, issuer: %s, jwks: %s}}", s.url, tokenService,
			tokenIssuer, s.keys)
	}
	// The registry accepts only bcrypt. This is the hash of the password above.
	writeFile(t, filepath.Join(r.dir, "htpasswd"), "tester:"+passwordHash+"\n")
	return fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s/htpasswd}}", r.dir)
}

func (r *RunningRegistry) http(t testing.TB, o RegistryOptions) string {
	t.Helper()
	tls := ""
	if o.TLS {
		r.CAFile = filepath.Join(r.dir, "cert.pem")
		writeCertificate(t, r.CAFile, filepath.Join(r.dir, "key.pem"))
		tls = fmt.Sprintf(", tls: {certificate: %s, key: %s/key.pem}", r.CAFile, r.dir)
	}
	return fmt.Sprintf("http: {addr: \"127.0.0.1:0\"%s}\n", tls)
}

// withoutMounts starts a proxy that removes the mount parameters from requests, and returns its host.
func withoutMounts(t testing.TB, host string) string {
	t.Helper()
	s := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: host})
		p.Out.Host = p.In.Host // the registry puts it into upload locations
		query := p.Out.URL.Query()
		query.Del("mount")
		query.Del("from")
		p.Out.URL.RawQuery = query.Encode()
	}})
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

const passwordHash = "$2b$04$aB9QUg7/SaGIKAAgE8sqLu3AtH6lZ6N4AOnYK0VctNRtFkBmiBnLy"

func writeFile(t testing.TB, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}
