package remote

import (
	"context"
	"errors"
	"net/url"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// uploads are the blobs of one repository that are being put or were: each is put once.
type uploads struct {
	mu    sync.Mutex
	blobs map[v1.Hash]*upload
	early map[v1.Hash]*earlyUpload // started, and not being put yet
}

type upload struct {
	done  chan struct{}
	moved registry.Moved
	err   error
}

func newUploads() *uploads {
	return &uploads{blobs: map[v1.Hash]*upload{}, early: map[v1.Hash]*earlyUpload{}}
}

// do runs put, or waits for a put of the same blob; callers that waited find the blob Present. They share its failure,
// but not the end of its context.
func (u *uploads) do(ctx context.Context, digest v1.Hash, put func() (registry.Moved, error)) (registry.Moved, error) {
	for {
		u.mu.Lock()
		other := u.blobs[digest]
		if other == nil {
			mine := &upload{done: make(chan struct{})}
			u.blobs[digest] = mine
			u.mu.Unlock()
			mine.moved, mine.err = put()
			if mine.err != nil {
				u.forget(digest, mine)
			}
			close(mine.done)
			return mine.moved, mine.err
		}
		u.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return registry.Present, context.Cause(ctx)
		}
		if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return registry.Present, other.err
		}
	}
}

func (u *uploads) forget(digest v1.Hash, which *upload) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.blobs[digest] == which {
		delete(u.blobs, digest)
	}
}

// reset forgets what was put: the registry says that something is not there after all.
func (u *uploads) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.blobs)
}

// startEarly returns nil for a blob that is started, being put or put already.
func (u *uploads) startEarly(digest v1.Hash) *earlyUpload {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.blobs[digest] != nil || u.early[digest] != nil {
		return nil
	}
	e := &earlyUpload{done: make(chan struct{})}
	u.early[digest] = e
	return e
}

// takeEarly waits for an early upload to be started and returns it once; nil when there is none, or ctx is done first.
func (u *uploads) takeEarly(ctx context.Context, digest v1.Hash) *earlyUpload {
	u.mu.Lock()
	e := u.early[digest]
	u.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.early, digest)
	return e
}

// takeAllEarly returns the early uploads that were not taken.
func (u *uploads) takeAllEarly() map[v1.Hash]*earlyUpload {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.early
	u.early = map[v1.Hash]*earlyUpload{}
	return all
}

// uploadStart is how far a blob gets before its bytes are sent: it is present, or an upload is open at an address.
type uploadStart struct {
	moved registry.Moved
	at    *url.URL // nil: it is present
	tried bool     // a mount from another repository was requested
}

// earlyUpload is an upload started before PutBlob is called. start and err are set when done is closed.
type earlyUpload struct {
	done  chan struct{}
	start uploadStart
	err   error
}
