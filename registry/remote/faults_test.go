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

// pushWithFaults pushes an image with a layer of about size bytes to a registry with the options and faults.
func pushWithFaults(
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

// push pushes an image with a layer of about size bytes.
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

// If a registry or its proxy refuses a blob in one request, it is uploaded in chunks.
func TestChunkedUpload(t *testing.T) {
	t.Parallel()
	expire := registrytest.Fault{Method: "PATCH", After: 1, Expire: true}
	reset := registrytest.Fault{Method: "PATCH", After: 2, Reset: true}
	lose := registrytest.Fault{Method: "PATCH", After: 3, LoseUpload: true}
	s, image, err := pushWithFaults(t, registrytest.Options{Chunked: true, Token: true}, 17<<20, expire, reset, lose)
	if err != nil {
		t.Fatal(err)
	}
	if digest, ok := s.Tag("demo", "v1"); !ok || digest != image.Digest() || len(s.Broken()) > 0 || s.FaultCount() != 3 {
		t.Errorf("got tag %v (%v), broken %q, after %d faults of 3", digest, ok, s.Broken(), s.FaultCount())
	}
	if n := s.Count("PATCH"); n < 6 {
		t.Errorf("got %d chunks of 17 MiB, want at least 6 with two restarts", n)
	}
	if n := s.Count("PUT /v2/demo/blobs/uploads/"); n > 2+len(image.Blobs) {
		t.Errorf("%d PUTs: whole blobs were sent although the registry wants chunks", n)
	}
	if s.Uploads() > 0 {
		t.Errorf("%d uploads were left open", s.Uploads())
	}
}

// If a proxy limits the size of requests, chunks are halved until it accepts them, down to 256 KiB.
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
				t.Errorf("got %v, %d uploads left open; want success: %v", err, s.Uploads(), want)
			}
			// The whole blob, and one chunk of each size from 8 MiB to 256 KiB.
			if n := refused.Load(); n > 7 {
				t.Errorf("%d requests were refused: the accepted size was forgotten", n)
			}
			if !want && (!errors.Is(err, registry.ErrRefused) || !strings.Contains(err.Error(), "413")) {
				t.Errorf("got %v, want the registry's refusal", err)
			}
		})
	}
}

// An upload that the registry lost is restarted. A blob whose response was lost is stored, and so not sent again.
func TestUploadsRestart(t *testing.T) {
	t.Parallel()
	lose := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", LoseUpload: true}
	lost := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", LoseResponse: true}
	s, image, err := pushWithFaults(t, registrytest.Options{}, 0, lose, lost)
	if err != nil {
		t.Fatal(err)
	}
	if digest, _ := s.Tag("demo", "v1"); digest != image.Digest() || s.FaultCount() != 2 {
		t.Errorf("got tag %v after %d faults of 2", digest, s.FaultCount())
	}
	if twice := s.RepeatedUploads(); len(twice) > 0 {
		t.Errorf("stored blobs were sent again: %q", twice)
	}
}

func TestUploadLostRepeatedly(t *testing.T) {
	t.Parallel()
	lose := registrytest.Fault{Method: "PUT", Path: "/blobs/uploads/", LoseUpload: true, Times: -1}
	_, _, err := pushWithFaults(t, registrytest.Options{}, 0, lose)
	if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "BLOB_UPLOAD_UNKNOWN") &&
		!strings.Contains(err.Error(), "upload unknown") {
		t.Errorf("got error %v, want ErrUnavailable with the registry's message", err)
	}
}

// inMemory runs a test with a network in memory and synctest's clock: waits take no time, however busy the machine is.
func inMemory(t *testing.T, test func(t *testing.T, n *registrytest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, &registrytest.Network{}) })
}

// A stalled request is cancelled after the idle timeout and retried. A slow one is not.
func TestIdle(t *testing.T) {
	t.Parallel()
	const idle = time.Minute
	stall, slow := &registrytest.Response{Stall: true}, &registrytest.Response{Slow: idle - time.Second}
	for name, f := range map[string]registrytest.Fault{
		"before the response":     {Method: "GET", Path: "/manifests/", Hang: true},
		"in a manifest":           {Method: "GET", Path: "/manifests/", Response: stall},
		"in a blob":               {Method: "GET", Path: "/blobs/", Response: stall},
		"a slow blob":             {Method: "GET", Path: "/blobs/", Response: slow, Times: -1},
		"before an upload begins": {Method: "POST", Hang: true},
		"after an upload":         {Method: "PUT", Path: "/blobs/", Hang: true},
		"in a token request":      {Path: "/token", Hang: true},
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
				start := time.Now()
				if err := copyImage(t, src, dst, remote.Options{Settings: remote.Settings{Idle: idle}, MinRate: -1}); err != nil {
					t.Fatal(err)
				}
				if digest, _ := dst.Tag("demo", "v1"); digest != image.Digest() || src.FaultCount()+dst.FaultCount() == 0 {
					t.Errorf("got tag %v after %d faults", digest, src.FaultCount()+dst.FaultCount())
				}
				if took := time.Since(start); took < idle || f.Times == 0 && took > 3*idle {
					t.Errorf("took %s, with an idle timeout of %s", took, idle)
				}
			})
		})
	}
}

// A response below the minimum rate is cancelled too, and retried.
func TestDrip(t *testing.T) {
	t.Parallel()
	drip := &registrytest.Response{Drip: 2 * time.Second}
	for name, f := range map[string]registrytest.Fault{
		"a manifest": {Method: "GET", Path: "/manifests/", Response: drip},
		"a blob":     {Method: "GET", Path: "/blobs/", Response: drip},
		"a token":    {Path: "/token", Response: drip},
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
				if err := copyImage(t, src, registrytest.New(t, o), options); err != nil || src.FaultCount() != 1 {
					t.Errorf("one slow response: got %v after %d faults", err, src.FaultCount())
				}
				f.Times = -1
				src.Fault(f)
				options.Attempts = 2
				if err := copyImage(t, src, registrytest.New(t, o), options); !errors.Is(err, registry.ErrUnavailable) ||
					!strings.Contains(err.Error(), "bytes came in 1m0s") {
					t.Errorf("only slow responses: got %v", err)
				}
				options.MinRate = -1
				if err := copyImage(t, src, registrytest.New(t, o), options); err != nil {
					t.Errorf("without a minimum rate: got %v", err)
				}
			})
		})
	}
}

// The client does not wait for a hanging registry with every attempt of every request.
func TestHangingRegistry(t *testing.T) {
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
			start := time.Now()
			if _, err := c.repository.Resolve(t.Context(), ref); !errors.Is(err, registry.ErrUnavailable) ||
				s.Count("GET") != c.requests {
				t.Errorf("%s: got %v after %d requests, want %d", name, err, s.Count("GET"), c.requests)
			}
			if took := time.Since(start); took > 150*time.Second {
				t.Errorf("%s: failed after %s", name, took)
			}
		}
		s.Forget()
		if _, err := silent.Resolve(t.Context(), ref); !errors.Is(err, registry.ErrUnavailable) || s.Count("GET") > 0 {
			t.Errorf("a later request: got %v after %d requests, want none", err, s.Count("GET"))
		}
	})
}

func TestIdleTimeoutError(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, n *registrytest.Network) {
		o := registrytest.Options{Network: n}
		src, dst := registrytest.New(t, o), registrytest.New(t, o)
		src.Load("demo", "v1", registrytest.Image(registrytest.ImageSpec{}))
		src.Fault(registrytest.Fault{Method: "GET", Path: "/blobs/", Response: &registrytest.Response{Stall: true}, Times: -1})
		err := copyImage(t, src, dst, remote.Options{Attempts: 2})
		if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "nothing moved for 1m0s") {
			t.Errorf("got error %v, want ErrUnavailable with the duration", err)
		}
	})
}

// copyImage copies the image demo:v1 from src to dst.
func copyImage(t *testing.T, src, dst *registrytest.Server, o remote.Options) error {
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
	refs, err := m.Refs()
	if err != nil {
		return err
	}
	for _, d := range refs.Blobs() {
		if _, err := to.PutBlob(t.Context(), d, from); err != nil {
			return err
		}
	}
	return to.PutTag(t.Context(), "v1", m)
}
