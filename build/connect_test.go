package build

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mtool/build/advice"
	"mtool/registry"
)

func TestUnreachable(t *testing.T) {
	t.Parallel()
	for text, kind := range map[string]error{
		"connection error: dial unix /x: connect: connection refused":                       registry.ErrUnavailable,
		"authentication handshake failed: tls: failed to verify certificate: x509: unknown": registry.ErrDenied,
		"error reading server preface: remote error: tls: certificate required":             registry.ErrDenied,
		"error reading server preface: remote error: tls: unknown certificate authority":    registry.ErrDenied,
		"write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe":                            registry.ErrUnavailable,
		"tls: first record does not look like a TLS handshake":                              ErrNoWorker,
		"error reading server preface: http2: failed reading the frame payload":             ErrNoWorker,
		"rpc error: code = Unimplemented desc = unknown service moby.buildkit.v1.Control":   ErrNoWorker,
		"error reading server preface: command [docker exec] has exited with exit status 1": registry.ErrUnavailable,
		"error reading server preface: EOF":                                                 registry.ErrUnavailable,
		"error reading server preface: read tcp 1->2: read: connection reset by peer":       registry.ErrUnavailable,
	} {
		err := newUnreachable("tcp://there:1", false, errors.New(text))
		if !errors.Is(err, kind) || !strings.Contains(err.Error(), "tcp://there:1") || advice.For(err).IsZero() {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// With TLS, a peer that closes the connection at once has refused the certificate.
func TestUnreachableTLS(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"write: broken pipe", "error reading server preface: read: connection reset by peer",
		"error reading server preface: EOF",
	} {
		if err := newUnreachable("tcp://there:1", true, errors.New(text)); !errors.Is(err, registry.ErrDenied) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// Incomplete or unreadable certificates are usage errors, reported before anything is dialled.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for i, tls := range []WorkerTLS{{CA: "/nowhere"}, {Cert: "pool_test.go"}, {Key: "pool_test.go"}} {
		if _, err := connectAddress(t.Context(), "tcp://there:1", tls); !errors.Is(err, registry.ErrUsage) {
			t.Error(fmt.Sprint(i), err)
		}
	}
}
