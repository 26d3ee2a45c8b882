package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"mtool/registry/regular"
)

// trustError is a certificate or key of our own that can't be used: no other attempt will help.
type trustError struct{ error }

func (e trustError) Unwrap() error { return e.error }

// trust sends each request by the transport that has the certificates for its host; a redirect to another host is
// verified by that one's.
type trust struct {
	options Options
	base    *http.Transport

	mu     sync.Mutex
	byHost map[string]func() (*http.Transport, error)
}

func newTrust(o Options, base *http.Transport) *trust {
	return &trust{options: o, base: base, byHost: map[string]func() (*http.Transport, error){}}
}

func (t *trust) RoundTrip(r *http.Request) (*http.Response, error) {
	transport, err := t.transport(r.URL.Host)
	if err != nil {
		return nil, trustError{err}
	}
	return transport.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (t *trust) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base.CloseIdleConnections()
	for _, made := range t.byHost {
		if transport, err := made(); err == nil {
			transport.CloseIdleConnections()
		}
	}
}

func (t *trust) transport(host string) (*http.Transport, error) {
	t.mu.Lock()
	made, ok := t.byHost[host]
	if !ok {
		made = sync.OnceValues(func() (*http.Transport, error) { return t.make(host) })
		t.byHost[host] = made
	}
	t.mu.Unlock()
	return made()
}

// make is the common transport where the host has nothing of its own.
func (t *trust) make(host string) (*http.Transport, error) {
	s := t.options.settings(host)
	authorities := append(append([]string{}, t.options.CAFiles...), s.CAFiles...)
	pairs := [][2]string{}
	if s.ClientCert != "" {
		pairs = append(pairs, [2]string{s.ClientCert, s.ClientKey})
	}
	for _, dir := range t.options.CertDirs {
		for _, name := range spellings(host) {
			found, more := certsIn(filepath.Join(dir, name))
			authorities, pairs = append(authorities, found...), append(pairs, more...)
		}
	}
	skip := false
	for _, name := range spellings(host) {
		skip = skip || matchesHost(t.options.SkipVerify, name)
	}
	if len(authorities) == 0 && len(pairs) == 0 && !skip {
		return t.base, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: skip}
	if err := errors.Join(addAuthorities(config, authorities), addPairs(config, pairs)); err != nil {
		return nil, err
	}
	own := t.base.Clone()
	own.TLSClientConfig = config
	return own, nil
}

// certsIn reads a folder of certs.d: NAME.crt are authorities, NAME.cert and NAME.key our own.
// https://docs.docker.com/engine/security/certificates/
func certsIn(dir string) (authorities []string, pairs [][2]string) {
	entries, _ := os.ReadDir(dir) // most hosts have none
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch filepath.Ext(path) {
		case ".crt":
			authorities = append(authorities, path)
		case ".cert":
			pairs = append(pairs, [2]string{path, strings.TrimSuffix(path, ".cert") + ".key"})
		}
	}
	return authorities, pairs
}

func addAuthorities(config *tls.Config, files []string) error {
	if len(files) == 0 {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	for _, file := range files {
		data, err := regular.Read(file, regular.MaxText)
		if err != nil {
			return fmt.Errorf("reading authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return fmt.Errorf("reading authorities %q: no certificate in PEM form", file)
		}
	}
	config.RootCAs = pool
	return nil
}

func addPairs(config *tls.Config, pairs [][2]string) error {
	for _, pair := range pairs {
		cert, certErr := regular.Read(pair[0], regular.MaxText)
		key, keyErr := regular.Read(pair[1], regular.MaxText)
		c, err := tls.Certificate{}, errors.Join(certErr, keyErr)
		if err == nil {
			c, err = tls.X509KeyPair(cert, key)
		}
		if err != nil {
			return fmt.Errorf("reading client certificate %q with key %q: %w", pair[0], pair[1], err)
		}
		config.Certificates = append(config.Certificates, c)
	}
	return nil
}
