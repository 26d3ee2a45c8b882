package build_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

func TestMissingBase(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	closed := httptest.NewServer(nil)
	closed.Close()
	answer := func(code int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, c := range []struct {
		name, url string
		kind      error
	}{
		{"404", answer(404), registry.ErrNotFound},
		{"401", answer(401), registry.ErrDenied},
		{"403", answer(403), registry.ErrDenied},
		{"500", answer(500), registry.ErrUnavailable},
		{"closed port", closed.URL, registry.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := strings.TrimPrefix(c.url, "http://") + "/base:v1"
			_, err := build.Run(t.Context(), build.Spec{
				Context: contextDir(t, "FROM "+base+"\nRUN [\"/app\"]\n"), Platforms: []v1.Platform{native()}, Name: named(t),
			}, newHome(t).o)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), base) {
				t.Errorf("got %v, want %v naming %q", err, c.kind, base)
			}
		})
	}
}

// The worker speaks TLS 1.2 and later, to registries and to the servers of an ADD.
func TestWorkerRefusesOldTLS(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.StartTLS()
	t.Cleanup(s.Close)
	h := newHome(t)
	h.o.Registries.SkipVerify = []string{s.Listener.Addr().String()}
	for _, text := range []string{
		"FROM " + h.o.Registries.SkipVerify[0] + "/base:v1\nLABEL a=b\n",
		"FROM scratch\nADD " + s.URL + "/file /\n",
	} {
		_, err := build.Run(t.Context(),
			build.Spec{Context: contextDir(t, text), Platforms: []v1.Platform{native()}, Name: named(t)}, h.o)
		if err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("%s: got error %v, want one about the protocol version", text, err)
		}
	}
}

func TestBaseOfAnotherPlatform(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	server := registrytest.New(t, registrytest.Options{})
	base := push(t, server, remote.Options{}, registrytest.Image(registrytest.ImageSpec{Platform: foreign()}))
	_, err := build.Run(t.Context(),
		build.Spec{Context: contextDir(t, "FROM "+base+"\nLABEL a=b\n"), Platforms: []v1.Platform{native()}, Name: named(t)},
		newHome(t).o)
	if !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), foreign().Architecture) {
		t.Errorf("building %v on an image of %v: %v", native(), foreign(), err)
	}
}

func TestPrivateBase(t *testing.T) {
	needs(t, "buildkit")
	server := registrytest.New(t, registrytest.Options{Username: "anna", Password: "secret", Token: true, TLS: true})
	skip := []string{server.Host()}
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(dir, "auth.json"))
	write(t, filepath.Join(dir, "auth.json"),
		`{"auths": {"`+server.Host()+`": {"auth": "`+base64.StdEncoding.EncodeToString([]byte("anna:secret"))+`"}}}`)
	credentials, err := login.Default()
	if err != nil {
		t.Fatal(err)
	}
	base := push(t, server, remote.Options{Settings: remote.Settings{SkipVerify: skip}, Credentials: credentials},
		registrytest.Image(registrytest.ImageSpec{Platform: native()}))
	h := newHome(t)
	run := func() error {
		_, err := build.Run(t.Context(),
			build.Spec{Context: contextDir(t, "FROM "+base+"\nLABEL a=b\n"), Platforms: []v1.Platform{native()}, Name: named(t)},
			h.o)
		return err
	}
	if err := run(); !errors.Is(err, registry.ErrDenied) && !errors.Is(err, registry.ErrUnavailable) {
		t.Errorf("with the certificate verified: %v", err)
	}
	h.o.Registries.SkipVerify = skip
	if err := run(); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("without credentials: %v", err)
	}
	h.o.Credentials = credentials
	if err := run(); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

func push(t *testing.T, s *registrytest.Server, o remote.Options, image registrytest.Built) string {
	t.Helper()
	name := s.Host() + "/base:v1"
	target := remote.NewClient(o).Repository(ref(t, name), remote.PullPush)
	if err := image.Push(t.Context(), target, "v1"); err != nil {
		t.Fatal(err)
	}
	return name
}

// BuildKit sends the secret HTTP_AUTH_TOKEN_HOST to the server of an ADD. A redirect to another port must not get it.
func TestAddTokenStaysOnItsServer(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	seen := make(chan string, 2)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
	}))
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("Authorization")
		http.Redirect(w, r, other.URL+"/file", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(other.Close)
	t.Cleanup(home.Close)
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "login")
	spec := build.Spec{
		Context:   contextDir(t, "FROM scratch\nADD "+home.URL+"/file /\n"),
		Platforms: []v1.Platform{native()}, Name: named(t),
	}
	spec.Secrets = []build.Secret{{ID: "HTTP_AUTH_TOKEN_127.0.0.1", File: file}}
	if _, err := build.Run(t.Context(), spec, newHome(t).o); err != nil {
		t.Fatal(err)
	}
	if first, second := <-seen, <-seen; first != "Bearer login" || second != "" {
		t.Errorf("the server got the token %q, the other server %q", first, second)
	}
}
