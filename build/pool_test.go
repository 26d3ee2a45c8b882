package build

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/inspect/platform"
	"mtool/registry"
)

func parsed(t *testing.T, names ...string) []v1.Platform {
	t.Helper()
	all, err := platform.ParseList(names)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// remoteWorker is a worker that lists these platforms, its own first.
func remoteWorker(t *testing.T, addr string, runs ...string) *worker {
	t.Helper()
	w := &worker{WorkerAddr: WorkerAddr{Addr: addr}, runnable: parsed(t, runs...)}
	w.host = hostOf(w.runnable)
	return w
}

func embeddedOnAMD64() *worker {
	return &worker{
		WorkerAddr: WorkerAddr{Addr: Embedded},
		host:       emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}},
	}
}

func TestAssign(t *testing.T) {
	t.Parallel()
	x86 := remoteWorker(t, "x86", "linux/amd64", "linux/amd64/v2", "linux/386", "linux/arm64")
	x86too := remoteWorker(t, "x86too", "linux/amd64", "linux/386")
	arm := remoteWorker(t, "arm", "linux/arm64", "linux/arm/v7", "linux/amd64")
	inside := embeddedOnAMD64()
	only := func(w *worker, p string) *worker {
		named := *w
		named.Platform = &parsed(t, p)[0]
		return &named
	}
	for _, c := range []struct {
		name    string
		workers []*worker
		targets string
		want    string // "" when no worker is for one of them
	}{
		{"native first", []*worker{x86, arm}, "linux/amd64 linux/arm64", "x86 arm"},
		{"in the other order too", []*worker{arm, x86}, "linux/amd64 linux/arm64", "x86 arm"},
		{"32 bits beside 64", []*worker{x86, arm}, "linux/386 linux/arm/v7", "x86 arm"},
		{"emulated where none is native", []*worker{x86too, x86}, "linux/arm64", "x86"},
		{"equals share", []*worker{x86, x86too}, "linux/amd64 linux/386", "x86 x86too"},
		{"copies anywhere", []*worker{x86too}, "linux/s390x", "x86too"},
		{"the embedded one emulates", []*worker{x86too, inside}, "linux/s390x", "embedded"},
		{"named for one", []*worker{only(x86, "linux/s390x"), inside}, "linux/s390x linux/arm64", "x86 embedded"},
		{"named for another", []*worker{only(x86, "linux/s390x")}, "linux/arm64", ""},
	} {
		of, err := assign(c.workers, parsed(t, strings.Fields(c.targets)...))
		if c.want == "" {
			if !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "linux/s390x=x86") {
				t.Errorf("%s: got %v, %v", c.name, of, err)
			}
			continue
		}
		var got []string
		for _, w := range of {
			got = append(got, w.Addr)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestHostOf(t *testing.T) {
	t.Parallel()
	h := hostOf(parsed(t, "linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/386", "linux/arm64"))
	for name, native := range map[string]bool{
		"linux/amd64/v3": true, "linux/386": true, "linux/arm64": false,
		"linux/arm/v7": false,
	} {
		way, err := h.Of(parsed(t, name)[0])
		if err != nil || way.Native != native {
			t.Errorf("%s: %+v, %v", name, way, err)
		}
	}
	if _, err := h.Of(parsed(t, "linux/amd64/v4")[0]); err == nil {
		t.Error("a level that the worker does not list")
	}
}

func TestNativeOnly(t *testing.T) {
	t.Parallel()
	w := embeddedOnAMD64()
	p := plan{requirements: []requirements{{Runs: parsed(t, "linux/amd64")}}}
	if err := w.nativeOnly(p); err != nil {
		t.Error(err)
	}
	p.requirements = append(p.requirements, requirements{Runs: parsed(t, "linux/arm64")})
	if err := w.nativeOnly(p); !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "aarch64") {
		t.Errorf("got %v", err)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	var said []string
	note := once(func(n advice.Note) { said = append(said, n.Text) })
	for _, line := range []string{"a", "b", "a"} {
		note(advice.Note{Text: line})
	}
	once(nil)(advice.Note{Text: "unheard"})
	if !slices.Equal(said, []string{"a", "b"}) {
		t.Errorf("said %q", said)
	}
}

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

// With TLS, to hang up at once is to refuse the certificate.
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

func TestTargetSignal(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]string{
		"qemu: uncaught target signal 11 (Segmentation fault) - core dumped\n": "11 (Segmentation fault)",
		"x\r\nqemu: uncaught target signal 4 (Illegal instruction)":            "4 (Illegal instruction)",
		"qemu: uncaught target signal 11 (Segm":                                "",
		"all is well":                                                          "",
	} {
		if got := targetSignal([]byte(log)); got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}

func TestDefaultKeep(t *testing.T) {
	t.Parallel()
	if got := defaultKeep(t.TempDir()); got <= 0 || got > mostBytes {
		t.Errorf("got %d", got)
	}
	if got := defaultKeep("/nowhere"); got != mostBytes {
		t.Errorf("of an unknown disk: %d", got)
	}
}

// TestCertificates: what can't be a set of certificates is said before anything is dialled.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for i, tls := range []WorkerTLS{{CA: "/nowhere"}, {Cert: "pool_test.go"}, {Key: "pool_test.go"}} {
		if _, err := connectAddress(t.Context(), "tcp://there:1", tls); !errors.Is(err, registry.ErrUsage) {
			t.Error(fmt.Sprint(i), err)
		}
	}
}
