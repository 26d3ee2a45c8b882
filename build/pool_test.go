package build

import (
	"errors"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/inspect/platform"
)

func parsed(t *testing.T, names ...string) []v1.Platform {
	t.Helper()
	all, err := platform.ParseList(names)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// remoteWorker returns a worker that lists these platforms, its native one first.
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
		want    string // "" if a target has no worker
	}{
		{"native first", []*worker{x86, arm}, "linux/amd64 linux/arm64", "x86 arm"},
		{"in the other order too", []*worker{arm, x86}, "linux/amd64 linux/arm64", "x86 arm"},
		{"32 bits on 64", []*worker{x86, arm}, "linux/386 linux/arm/v7", "x86 arm"},
		{"emulated where none is native", []*worker{x86too, x86}, "linux/arm64", "x86"},
		{"equal workers share", []*worker{x86, x86too}, "linux/amd64 linux/386", "x86 x86too"},
		{"COPY needs no emulator", []*worker{x86too}, "linux/s390x", "x86too"},
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
	var notes []string
	note := once(func(n advice.Note) { notes = append(notes, n.Text) })
	for _, line := range []string{"a", "b", "a"} {
		note(advice.Note{Text: line})
	}
	once(nil)(advice.Note{Text: "unheard"})
	if !slices.Equal(notes, []string{"a", "b"}) {
		t.Errorf("got %q", notes)
	}
}
