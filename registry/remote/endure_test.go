package remote_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// endured pushes an image with a layer of some size to a registry of these options and faults.
func endured(
	t *testing.T, o registrytest.Options, size int, faults ...registrytest.Fault,
) (*registrytest.Server, registrytest.Built, error) {
	t.Helper()
	s := registrytest.New(t, o)
	for _, f := range faults {
		s.Fault(f)
	}
	image, err := push(t, s, size)
	return s, image, err
}

// push pushes an image with a layer of some size.
func push(t *testing.T, s *registrytest.Server, size int) (registrytest.Built, error) {
	t.Helper()
	image := registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Padding: size,
	})
	c := remote.Options{Pause: time.Millisecond, Attempts: 3}
	ref, err := registry.ParseRef(s.Host() + "/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	return image, image.Push(t.Context(), remote.NewClient(c).Repository(ref, remote.PullPush), "v1")
}

// A registry, or a proxy before it, that takes no blob in one request gets it in several.
func TestChunkedUpload(t *testing.T) {
	t.Parallel()
	expire := registrytest.Fault{Method: "PATCH", After: 1, Expire: true}
	reset := registrytest.Fault{Method: "PATCH", After: 2, Reset: true}
	lose := registrytest.Fault{Method: "PATCH", After: 3, LoseUpload: true}
	s, image, err := endured(t, registrytest.Options{Chunked: true, Token: true}, 17<<20, expire, reset, lose)
	if err != nil {
		t.Fatal(err)
	}
	if digest, ok := s.Tag("demo", "v1"); !ok || digest != image.Digest() || len(s.Broken()) > 0 || s.Struck() != 3 {
		t.Errorf("got tag %v (%v), broken %q, after %d faults of 3", digest, ok, s.Broken(), s.Struck())
	}
	if n := s.Count("PATCH"); n < 6 {
		t.Errorf("%d chunks of 17 MiB, begun anew twice", n)
	}
	if n := s.Count("PUT /v2/demo/blobs/uploads/"); n > 2+len(image.Blobs) {
		t.Errorf("%d PUTs: a blob is tried in one request although the registry wants chunks", n)
	}
	if s.Uploads() > 0 {
		t.Errorf("%d uploads were left begun", s.Uploads())
	}
}

// A proxy that limits the size of requests: chunks get as small as it wants them, but not smaller than 256 KiB.
func TestChunksShrink(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]bool{8 << 20: true, 1 << 20: true, 256 << 10: true, 255 << 10: false} {
		t.Run(fmt.Sprint(limit>>10, " KiB"), func(t *testing.T) {
			t.Parallel()
			s := registrytest.New(t, registrytest.Options{})
			var refused atomic.Int64
			s.Chaos(func(r *http.Request) *registrytest.Fault {
				if r.ContentLength <= limit {
					return nil
				}
				refused.Add(1)
				return &registrytest.Fault{Status: http.StatusRequestEntityTooLarge}
			})
			image, err := push(t, s, 9<<20)
			if digest, _ := s.Tag("demo", "v1"); (err == nil && digest == image.Digest()) != want || s.Uploads() > 0 {
				t.Errorf("got %v, %d uploads left open; want it pushed: %v", err, s.Uploads(), want)
			}
			// The whole blob, and at most each size from 8 MiB to 256 KiB.
			if n := refused.Load(); n > 7 {
				t.Errorf("%d requests were refused: the size is not remembered", n)
			}
			if !want && (!errors.Is(err, registry.ErrRefused) || !strings.Contains(err.Error(), "413")) {
				t.Errorf("got %v, want the registry's refusal", err)
			}
		})
	}
}

// An upload that the registry has lost is begun anew; a blob whose answer was lost is there and not sent again.
func TestUploadsRestart(t *testing.T) {
	t.Parallel()
	lose := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", LoseUpload: true}
	lost := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", Lost: true}
	s, image, err := endured(t, registrytest.Options{}, 0, lose, lost)
	if err != nil {
		t.Fatal(err)
	}
	if digest, _ := s.Tag("demo", "v1"); digest != image.Digest() || s.Struck() != 2 {
		t.Errorf("got tag %v after %d faults of 2", digest, s.Struck())
	}
	if twice := s.Twice(); len(twice) > 0 {
		t.Errorf("sent again although there: %q", twice)
	}
}

func TestUploadLostForGood(t *testing.T) {
	t.Parallel()
	lose := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", LoseUpload: true, Times: -1}
	_, _, err := endured(t, registrytest.Options{}, 0, lose)
	if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "BLOB_UPLOAD_UNKNOWN") &&
		!strings.Contains(err.Error(), "upload unknown") {
		t.Errorf("got error %v, want ErrUnavailable in the registry's words", err)
	}
}

// inMemory runs a test in which a minute passes at once: nothing in it depends on how busy the machine is.
func inMemory(t *testing.T, test func(t *testing.T, n *registrytest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, &registrytest.Network{}) })
}

// What stands still is given up after the idle timeout and tried again, wherever it stands still; what is slow is
// waited for.
func TestIdle(t *testing.T) {
	t.Parallel()
	const idle = time.Minute
	stall, slow := &registrytest.Twist{Stall: true}, &registrytest.Twist{Slow: idle - time.Second}
	for name, f := range map[string]registrytest.Fault{
		"before the answer":       {Method: "GET", Path: "/manifests/", Hang: true},
		"in a manifest":           {Method: "GET", Path: "/manifests/", Twist: stall},
		"in a blob":               {Method: "GET", Path: "/blobs/", Twist: stall},
		"a slow blob":             {Method: "GET", Path: "/blobs/", Twist: slow, Times: -1},
		"before an upload begins": {Method: "POST", Hang: true},
		"after an upload":         {Method: "PUT", Path: "/blobs/", Hang: true},
		"asking for a token":      {Path: "/token", Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, n *registrytest.Network) {
				o := registrytest.Options{Token: true, Network: n}
				src, dst := registrytest.New(t, o), registrytest.New(t, o)
				image := registrytest.Image(registrytest.ImageSpec{
					Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
					Padding:  1 << 20,
				})
				src.Load("demo", "v1", image)
				src.Fault(f)
				dst.Fault(f)
				began := time.Now()
				if err := move(t, src, dst, remote.Options{Settings: remote.Settings{Idle: idle}, MinRate: -1}); err != nil {
					t.Fatal(err)
				}
				if digest, _ := dst.Tag("demo", "v1"); digest != image.Digest() || src.Struck()+dst.Struck() == 0 {
					t.Errorf("got tag %v after %d faults", digest, src.Struck()+dst.Struck())
				}
				if took := time.Since(began); took < idle || f.Times == 0 && took > 3*idle {
					t.Errorf("it took %s, with a limit of %s", took, idle)
				}
			})
		})
	}
}

// What drips is given up too, and tried again, wherever it drips.
func TestDrip(t *testing.T) {
	t.Parallel()
	drip := &registrytest.Twist{Drip: 2 * time.Second}
	for name, f := range map[string]registrytest.Fault{
		"a manifest": {Method: "GET", Path: "/manifests/", Twist: drip},
		"a blob":     {Method: "GET", Path: "/blobs/", Twist: drip},
		"a token":    {Path: "/token", Twist: drip},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, n *registrytest.Network) {
				o := registrytest.Options{Token: true, Network: n}
				src := registrytest.New(t, o)
				image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
				src.Load("demo", "v1", image)
				src.Fault(f)
				options := remote.Options{}
				if err := move(t, src, registrytest.New(t, o), options); err != nil || src.Struck() != 1 {
					t.Errorf("it drips once: got %v after %d faults", err, src.Struck())
				}
				f.Times = -1
				src.Fault(f)
				options.Attempts = 2
				if err := move(t, src, registrytest.New(t, o), options); !errors.Is(err, registry.ErrUnavailable) ||
					!strings.Contains(err.Error(), "bytes came in 1m0s") {
					t.Errorf("it drips for ever: got %v", err)
				}
				options.MinRate = -1
				if err := move(t, src, registrytest.New(t, o), options); err != nil {
					t.Errorf("without a rate: got %v", err)
				}
			})
		})
	}
}

// A registry that never answers is not waited for anew with every attempt and every request.
func TestHangsFromTheFirstRequestOn(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, n *registrytest.Network) {
		s := registrytest.New(t, registrytest.Options{Network: n})
		s.Load("demo", "v1", tiny("amd64"))
		ref, err := registry.ParseRef(s.Host() + "/demo:v1")
		if err != nil {
			t.Fatal(err)
		}
		open := func() *remote.Repository {
			c := remote.NewClient(remote.Options{})
			c.DialBy(n.Dial)
			return c.Repository(ref, remote.Pull)
		}
		answered, silent := open(), open()
		if _, err := answered.Resolve(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		s.Fault(registrytest.Fault{Hang: true, Times: -1})
		for name, c := range map[string]struct {
			repository *remote.Repository
			requests   int
		}{"never answered": {silent, 2}, "answered before": {answered, 2}} {
			s.Forget()
			began := time.Now()
			if _, err := c.repository.Resolve(t.Context(), ref); !errors.Is(err, registry.ErrUnavailable) ||
				s.Count("GET") != c.requests {
				t.Errorf("%s: got %v after %d requests, want %d", name, err, s.Count("GET"), c.requests)
			}
			if took := time.Since(began); took > 150*time.Second {
				t.Errorf("%s: it was waited for %s", name, took)
			}
		}
		s.Forget()
		if _, err := silent.Resolve(t.Context(), ref); !errors.Is(err, registry.ErrUnavailable) || s.Count("GET") > 0 {
			t.Errorf("once more: got %v after %d requests, want none", err, s.Count("GET"))
		}
	})
}

func TestIdleForGood(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, n *registrytest.Network) {
		o := registrytest.Options{Network: n}
		src, dst := registrytest.New(t, o), registrytest.New(t, o)
		src.Load("demo", "v1", registrytest.Image(registrytest.ImageSpec{}))
		src.Fault(registrytest.Fault{Method: "GET", Path: "/blobs/", Twist: &registrytest.Twist{Stall: true}, Times: -1})
		err := move(t, src, dst, remote.Options{Attempts: 2})
		if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "nothing moved for 1m0s") {
			t.Errorf("got error %v, want ErrUnavailable that says for how long", err)
		}
	})
}

// move copies demo:v1, an image, from one registry to the other.
func move(t *testing.T, src, dst *registrytest.Server, o remote.Options) error {
	t.Helper()
	c := remote.NewClient(o)
	if n := src.Network(); n != nil {
		c.DialBy(n.Dial)
	}
	t.Cleanup(c.Close)
	open := func(s *registrytest.Server, a remote.Access) (*remote.Repository, registry.Ref) {
		ref, err := registry.ParseRef(s.Host() + "/demo:v1")
		if err != nil {
			t.Fatal(err)
		}
		return c.Repository(ref, a), ref
	}
	from, ref := open(src, remote.Pull)
	to, _ := open(dst, remote.PullPush)
	m, err := from.Resolve(t.Context(), ref)
	if err != nil {
		return err
	}
	below, err := registrytest.Below(m)
	if err != nil {
		return err
	}
	for _, d := range below {
		if _, err := to.PutBlob(t.Context(), d, from); err != nil {
			return err
		}
	}
	return to.PutTag(t.Context(), "v1", m)
}
