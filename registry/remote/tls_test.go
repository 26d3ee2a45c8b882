package remote_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// TLS before 1.2 is refused, even if certificates are not verified.
func TestOldTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.StartTLS()
	t.Cleanup(s.Close)
	host := s.Listener.Addr().String()
	ref, err := registry.ParseRef(host + "/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]remote.Options{
		"verified":     {},
		"not verified": {Settings: remote.Settings{SkipVerify: []string{host}}},
	} {
		o.Attempts = 1
		_, err := remote.NewClient(o).Repository(ref, remote.Pull).Resolve(t.Context(), ref)
		if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("%s: got error %v, want an error about the protocol version", name, err)
		}
	}
}

// SkipVerify for one host does not apply to another, not even after a redirect.
func TestSkipVerifyIsPerHost(t *testing.T) {
	t.Parallel()
	image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
	trusted, other := registrytest.New(t, registrytest.Options{TLS: true}),
		registrytest.New(t, registrytest.Options{TLS: true})
	trusted.Load("demo", "v1", image)
	other.Load("demo", "v1", image)
	client := remote.NewClient(remote.Options{
		Settings: remote.Settings{SkipVerify: []string{trusted.Host()}},
		Attempts: 1,
	})
	resolve := func(s *registrytest.Server) error {
		ref, err := registry.ParseRef(s.Host() + "/demo:v1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Repository(ref, remote.Pull).Resolve(t.Context(), ref)
		return err
	}
	if err := resolve(trusted); err != nil {
		t.Fatal(err)
	}
	if err := resolve(other); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("the other host: %v, want ErrDenied", err)
	}
	trusted.Fault(registrytest.Fault{Redirect: "https://" + other.Host(), Times: -1})
	if err := resolve(trusted); !errors.Is(err, registry.ErrDenied) ||
		!strings.Contains(err.Error(), "certificate not trusted") {
		t.Errorf("redirected to the other host: %v, want ErrDenied", err)
	}
}
