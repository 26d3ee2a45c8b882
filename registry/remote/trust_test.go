package remote

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mtool/registry"
)

// newMutualTLSFake returns a fake that requires the client certificate in the files cert and key.
func newMutualTLSFake(t *testing.T) (f *fake, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "me.cert"), filepath.Join(dir, "me.key")
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "me"}, NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, cert, "CERTIFICATE", der)
	writePEM(t, key, "EC PRIVATE KEY", keyDER)
	mine, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(mine)
	f = unstartedFake()
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	f.StartTLS()
	t.Cleanup(f.Close)
	return f, cert, key
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	secure := newTLSFake(t)
	mutual, cert, key := newMutualTLSFake(t)
	for _, f := range []*fake{secure, mutual} {
		f.manifests["demo:v1"] = []byte(imageJSON)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, "CERTIFICATE", secure.Certificate().Raw)
	certs := t.TempDir()
	for host, files := range map[string][]string{
		secure.host(): {ca, "x.crt"},
		mutual.host(): {ca, "x.crt", cert, "me.cert", key, "me.key"},
	} {
		for i := 0; i < len(files); i += 2 {
			data, err := os.ReadFile(files[i])
			if err != nil {
				t.Fatal(err)
			}
			put(t, certs, host+"/"+files[i+1], string(data))
		}
	}
	brokenDir := t.TempDir()
	put(t, brokenDir, "127.0.0.1/ca.crt", "not a certificate")
	mine := HostSettings{CAFiles: []string{ca}, ClientCert: cert, ClientKey: key}
	for name, tt := range map[string]struct {
		f     *fake
		o     Options
		kind  error
		words string
	}{
		"no settings":        {secure, Options{}, registry.ErrDenied, "not trusted"},
		"a CA for all hosts": {secure, Options{Settings: Settings{CAFiles: []string{ca}}}, nil, ""},
		"a CA for the host": {
			secure,
			Options{Settings: Settings{Hosts: map[string]HostSettings{secure.host(): {CAFiles: []string{ca}}}}},
			nil, "",
		},
		"a CA for every port": {
			secure,
			Options{Settings: Settings{Hosts: map[string]HostSettings{"127.0.0.1": {CAFiles: []string{ca}}}}},
			nil, "",
		},
		"a CA for another host": {
			secure,
			Options{Settings: Settings{Hosts: map[string]HostSettings{"r.example": {CAFiles: []string{ca}}}}},
			registry.ErrDenied, "not trusted",
		},
		"another CA": {
			secure,
			Options{Settings: Settings{CAFiles: []string{cert}}},
			registry.ErrDenied,
			"not trusted",
		},
		"certs.d": {
			secure,
			Options{Settings: Settings{CertDirs: []string{t.TempDir(), certs}}},
			nil, "",
		},
		"certs.d with a broken file": {
			secure,
			Options{Settings: Settings{CertDirs: []string{brokenDir}}},
			registry.ErrDenied, "ca.crt",
		},
		"a missing file": {
			secure,
			Options{Settings: Settings{CAFiles: []string{"/nowhere/ca.pem"}}},
			registry.ErrDenied, "/nowhere/ca.pem",
		},
		"a client certificate": {
			mutual,
			Options{Settings: Settings{Hosts: map[string]HostSettings{mutual.host(): mine}}},
			nil, "",
		},
		"a client certificate in certs.d": {mutual, Options{Settings: Settings{CertDirs: []string{certs}}}, nil, ""},
		"no client certificate": {
			mutual,
			Options{Settings: Settings{CAFiles: []string{ca}}},
			registry.ErrUnavailable, "certificate required",
		},
		"a client certificate without key": {
			mutual,
			Options{Settings: Settings{
				Hosts: map[string]HostSettings{"127.0.0.1": {ClientCert: cert, ClientKey: "/nowhere/key"}},
			}},
			registry.ErrDenied,
			"/nowhere/key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.o.Attempts = 1
			ref, err := registry.ParseRef(tt.f.host() + "/demo:v1")
			if err != nil {
				t.Fatal(err)
			}
			_, err = newTestClient(tt.o).Repository(ref, Pull).Resolve(t.Context(), ref)
			if tt.kind == nil && err != nil || !errors.Is(err, tt.kind) ||
				err != nil && !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v, want %v with %q", err, tt.kind, tt.words)
			}
		})
	}
}
