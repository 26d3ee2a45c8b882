package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// begin creates the layout if it is missing and takes the content lock, shared with other writers. When no other
// process writes it first removes what killed writers left.
func (l *Layout) begin(ctx context.Context) (release func() error, err error) {
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	unlock, ok, err := l.tryLock(contentLock)
	if ok {
		err = errors.Join(l.removeTemps(), unlock())
	}
	if err != nil {
		return nil, fmt.Errorf("clearing %q: %w", l.dir, err)
	}
	return l.lock(ctx, contentLock, true)
}

// lockBlob waits until no other goroutine writes the blob h. The caller calls unlock afterwards.
func (l *Layout) lockBlob(ctx context.Context, h v1.Hash) (unlock func(), err error) {
	for {
		l.mu.Lock()
		other, busy := l.inFlight[h]
		if !busy {
			mine := make(chan struct{})
			l.inFlight[h] = mine
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.inFlight, h)
				l.mu.Unlock()
				close(mine)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// copyBlob writes what open yields to path, and fails when it does not match d.
func (l *Layout) copyBlob(ctx context.Context, path string, d v1.Descriptor, open func() (io.ReadCloser, error)) error {
	rc, err := open()
	if err != nil {
		return err
	}
	rc, err = Verify(rc, d, d.Digest.String())
	if err != nil {
		return err
	}
	rc = registry.Counted(ctx, rc)
	return errors.Join(l.writeBlob(path, &cancelable{ctx, rc}, d.Size), rc.Close())
}

// linkBlob makes path a hard link to file, which the caller has verified. It copies where links are impossible: across
// file systems, and where the kernel forbids them to other users' files (fs.protected_hardlinks).
func (l *Layout) linkBlob(ctx context.Context, path string, d v1.Descriptor, file string) error {
	if linkFile(file, path) == nil {
		return nil
	}
	return l.copyBlob(ctx, path, d, func() (io.ReadCloser, error) { return regular.Open(file) })
}

// linkFile syncs file and links it to path.
func linkFile(file, path string) error {
	f, err := regular.Open(file)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := registry.MakeDirs(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Link(file, path)
}

// checkRefs refuses a manifest that refers to missing content. Layers that may not be distributed can be missing.
func (l *Layout) checkRefs(m registry.Manifest) error {
	below, err := refsOf(m)
	if err != nil {
		return err
	}
	for _, d := range append(below.blobs, below.manifests...) {
		// Sizes are not compared: inspect reports a list with wrong ones.
		if !l.has(v1.Descriptor{Digest: d.Digest}) && d.MediaType.IsDistributable() {
			return fmt.Errorf("writing manifest %s to %q: it refers to %s, which is not there: %w", m.Digest, l.dir, d.Digest,
				registry.ErrNotFound)
		}
	}
	return nil
}

// cancelable stops reading when ctx ends; a local file would be read to its end otherwise.
type cancelable struct {
	ctx context.Context //nolint:containedctx // io.Reader has no room for it
	r   io.Reader
}

func (c *cancelable) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
