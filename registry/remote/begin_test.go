package remote

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mtool/registry"
)

// PutBlob continues the upload that BeginBlob started.
func TestBeginBlob(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	d := describe(body)
	tests := map[string]struct {
		mounts, exists, otherRepo bool
		want                      registry.Moved
		begin, put                []string // methods of the requests, sorted
	}{
		"absent":  {want: registry.Copied, begin: []string{"HEAD", "POST"}, put: []string{"PUT"}},
		"present": {exists: true, want: registry.Present, begin: []string{"DELETE", "HEAD", "POST"}},
		"mounted": {mounts: true, otherRepo: true, want: registry.Mounted, begin: []string{"POST"}},
		"mount refused": {
			otherRepo: true, want: registry.Copied, begin: []string{"HEAD", "POST"},
			put: []string{"GET", "PUT"},
		},
		"mount refused, present": {
			otherRepo: true, exists: true, want: registry.Present,
			begin: []string{"DELETE", "HEAD", "POST"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.mounts = tt.mounts
			if tt.exists {
				f.add("demo", body)
			}
			r := f.open(t, "demo", PullPush)
			var src registry.Source = sourceOf(body)
			if tt.otherRepo {
				f.add("other", body)
				src = r.client.Repository(f.ref(t, "other"), Pull)
			}
			r.BeginBlob(t.Context(), d, src)
			r.BeginBlob(t.Context(), d, src) // sends nothing the second time
			if got := methods(f); !slices.Equal(got, tt.begin) {
				t.Errorf("BeginBlob: got requests %q, want %q", got, tt.begin)
			}
			moved, err := r.PutBlob(t.Context(), d, src)
			if err != nil || moved != tt.want {
				t.Fatalf("got %v, %v; want %v", moved, err, tt.want)
			}
			if got, want := methods(f), slices.Sorted(slices.Values(slices.Concat(tt.begin, tt.put))); !slices.Equal(got,
				want) {
				t.Errorf("BeginBlob and PutBlob: got requests %q, want %q", got, want)
			}
			if got := f.blobs["demo@"+d.Digest.String()]; !bytes.Equal(got, body) {
				t.Errorf("stored %q", got)
			}
			r.BeginBlob(t.Context(), d, src)
			r.Abandon(t.Context())
			if got := len(f.requests()); got != len(tt.begin)+len(tt.put) {
				t.Errorf("the upload of a present blob was started again: %q", f.requests())
			}
		})
	}
}

// A mount needs no bytes, so an upload that was started for another source is cancelled for it.
func TestBeginBlobPrefersMounts(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	f := newFake(t)
	f.mounts = true
	d := f.add("other", body)
	r := f.open(t, "demo", PullPush)
	r.BeginBlob(t.Context(), d, sourceOf(body))
	moved, err := r.PutBlob(t.Context(), d, r.client.Repository(f.ref(t, "other"), Pull))
	if err != nil || moved != registry.Mounted || f.count("DELETE") != 1 || f.count("PUT") != 0 {
		t.Errorf("got %v, %v, requests %q", moved, err, f.requests())
	}
}

func TestBeginBlobFails(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.before = times(100, method("POST"), code(403, "DENIED", "no"))
	r := f.open(t, "demo", PullPush)
	body := []byte("layer")
	r.BeginBlob(t.Context(), describe(body), sourceOf(body))
	if _, err := r.PutBlob(t.Context(), describe(body), sourceOf(body)); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("got %v, want the registry's message", err)
	}
	posts := f.count("POST")
	if _, err := r.PutBlob(t.Context(), describe(body), sourceOf(body)); err == nil || f.count("POST") == posts {
		t.Errorf("got %v after %d POSTs, want another attempt", err, f.count("POST"))
	}
}

// Abandon cancels the uploads that were started and not used, also after the context was cancelled.
func TestAbandon(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	r := f.open(t, "demo", PullPush)
	_, _ = r.Tag(t.Context(), "v1") // the very first request is sent alone
	reached, answer := make(chan struct{}), make(chan struct{})
	f.before = times(1, method("HEAD"), func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-answer
		w.WriteHeader(http.StatusNotFound)
	})
	ctx, cancel := context.WithCancel(t.Context())
	first, second := []byte("first"), []byte("second")
	started := make(chan struct{})
	go func() {
		r.BeginBlob(ctx, describe(first), sourceOf(first))
		close(started)
	}()
	<-reached
	r.BeginBlob(ctx, describe(second), sourceOf(second))
	cancelled, end := context.WithCancel(t.Context())
	end()
	if _, err := r.PutBlob(cancelled, describe(first), sourceOf(first)); err == nil {
		t.Error("PutBlob succeeded with a cancelled context")
	}
	close(answer)
	<-started // the client knows an upload only after the response
	cancel()
	r.Abandon(ctx)
	if f.count("PUT") != 0 || f.count("DELETE") == 0 || f.count("DELETE") != f.count("POST") {
		t.Errorf("requests %q, want every started upload cancelled", f.requests())
	}
}

// A wrong blob is an error before its last bytes are returned, so that a reader never gets all of it.
func TestWrongBlobFailsBeforeItsEnd(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := f.add("demo", bytes.Repeat([]byte("x"), 100_000))
	f.blobs["demo@"+d.Digest.String()][99_999] = 'y'
	b, err := f.open(t, "demo", Pull).Blob(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := io.ReadAll(b)
	if err == nil || len(got) == 100_000 {
		t.Errorf("got %d bytes and %v, want an error before the last ones", len(got), err)
	}
}
