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

// What was begun ahead is where putting goes on, whatever the registry has and does.
func TestBeginBlob(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	d := describe(body)
	tests := map[string]struct {
		mounts, there, otherRepo bool
		want                     registry.Moved
		ahead, later             []string // methods, sorted
	}{
		"absent":  {want: registry.Copied, ahead: []string{"HEAD", "POST"}, later: []string{"PUT"}},
		"present": {there: true, want: registry.Present, ahead: []string{"DELETE", "HEAD", "POST"}},
		"mounted": {mounts: true, otherRepo: true, want: registry.Mounted, ahead: []string{"POST"}},
		"mount refused": {
			otherRepo: true, want: registry.Copied, ahead: []string{"HEAD", "POST"},
			later: []string{"GET", "PUT"},
		},
		"mount refused, but there": {
			otherRepo: true, there: true, want: registry.Present,
			ahead: []string{"DELETE", "HEAD", "POST"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.mounts = tt.mounts
			if tt.there {
				f.add("demo", body)
			}
			r := f.open(t, "demo", PullPush)
			var src registry.Source = from(body)
			if tt.otherRepo {
				f.add("other", body)
				src = r.client.Repository(f.ref(t, "other"), Pull)
			}
			r.BeginBlob(t.Context(), d, src)
			r.BeginBlob(t.Context(), d, src) // once is enough
			if got := methods(f); !slices.Equal(got, tt.ahead) {
				t.Errorf("ahead: requests %q, want %q", got, tt.ahead)
			}
			moved, err := r.PutBlob(t.Context(), d, src)
			if err != nil || moved != tt.want {
				t.Fatalf("got %v, %v; want %v", moved, err, tt.want)
			}
			if got, want := methods(f), slices.Sorted(slices.Values(slices.Concat(tt.ahead, tt.later))); !slices.Equal(got,
				want) {
				t.Errorf("in all: requests %q, want %q", got, want)
			}
			if got := f.blobs["demo@"+d.Digest.String()]; !bytes.Equal(got, body) {
				t.Errorf("stored %q", got)
			}
			r.BeginBlob(t.Context(), d, src)
			r.Abandon(t.Context())
			if got := len(f.requests()); got != len(tt.ahead)+len(tt.later) {
				t.Errorf("a blob that is there was begun again: %q", f.requests())
			}
		})
	}
}

// A mount costs no bytes: what was begun for a source elsewhere is given up for it.
func TestBeginBlobPrefersMounts(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	f := newFake(t)
	f.mounts = true
	d := f.add("other", body)
	r := f.open(t, "demo", PullPush)
	r.BeginBlob(t.Context(), d, from(body))
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
	r.BeginBlob(t.Context(), describe(body), from(body))
	if _, err := r.PutBlob(t.Context(), describe(body), from(body)); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("got %v, want what the registry said", err)
	}
	posts := f.count("POST")
	if _, err := r.PutBlob(t.Context(), describe(body), from(body)); err == nil || f.count("POST") == posts {
		t.Errorf("got %v after %d POSTs, want another attempt of its own", err, f.count("POST"))
	}
}

// An upload that was begun and that nobody wants is given up, also when the command is over.
func TestAbandon(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	r := f.open(t, "demo", PullPush)
	_, _ = r.Tag(t.Context(), "v1") // the first request of all goes alone
	reached, answer := make(chan struct{}), make(chan struct{})
	f.before = times(1, method("HEAD"), func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-answer
		w.WriteHeader(http.StatusNotFound)
	})
	ctx, cancel := context.WithCancel(t.Context())
	first, second := []byte("first"), []byte("second")
	begun := make(chan struct{})
	go func() {
		r.BeginBlob(ctx, describe(first), from(first))
		close(begun)
	}()
	<-reached
	r.BeginBlob(ctx, describe(second), from(second))
	short, end := context.WithCancel(t.Context())
	end()
	if _, err := r.PutBlob(short, describe(first), from(first)); err == nil {
		t.Error("a put whose context is done succeeded")
	}
	close(answer)
	<-begun // of an upload whose answer is not waited for nobody knows
	cancel()
	r.Abandon(ctx)
	if f.count("PUT") != 0 || f.count("DELETE") == 0 || f.count("DELETE") != f.count("POST") {
		t.Errorf("requests %q, want as many uploads given up as begun", f.requests())
	}
}

// What is wrong with a blob is known before its last bytes are handed out: whoever they go to never has the whole.
func TestWrongBlobIsNeverWhole(t *testing.T) {
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
