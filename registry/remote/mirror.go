package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// mirrors returns the mirrors to try before r itself, if r is only read: a caller that writes must see what is really
// there.
func (r *Repository) mirrors() []*Repository {
	if r.writable.Load() {
		return nil
	}
	var all []*Repository
	for _, place := range r.client.options.settings(r.host.name).Mirrors {
		host, prefix, _ := strings.Cut(place, "/")
		repo := strings.Trim(prefix+"/"+r.base.Repo, "/")
		all = append(all,
			r.client.Repository(registry.Ref{Transport: registry.TransportRegistry, Host: host, Repo: repo}, Pull))
	}
	return all
}

// passedOver notes, once, that r failed, a mirror of origin.
func (r *Repository) passedOver(origin *Repository, err error) {
	r.failed.Do(func() {
		origin.client.options.Note(fmt.Sprintf("passing over a mirror of %s: %v", origin.base.Repository(), err))
	})
}

// wholeBlob is the size up to which a mirror's blob is read whole before any of it is returned. No config is larger.
const wholeBlob = 256 << 10

// blobFor opens a blob of r, a mirror of origin. If it breaks off, the rest is read from origin. A small blob with
// the wrong digest is an error at once, so that origin can be tried; a large one is known only at its end.
func (r *Repository) blobFor(ctx context.Context, origin *Repository, d v1.Descriptor) (io.ReadCloser, error) {
	b, err := newBlobReader(ctx, r, d)
	if err != nil {
		return nil, err
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	if d.Size <= 0 || d.Size > wholeBlob {
		b.origin = origin
		return b, nil
	}
	defer b.Close() //nolint:errcheck // all of it was read
	b.tries.made = r.client.options.Attempts - 1
	data, err := io.ReadAll(b)
	return io.NopCloser(bytes.NewReader(data)), err
}

// fromMirror returns the first answer of a mirror. Each is tried once: the registry itself is the second attempt.
func fromMirror[T any](ctx context.Context, r *Repository, ask func(*Repository) (T, error)) (answer T, ok bool) {
	for _, m := range r.mirrors() {
		answer, err := ask(m)
		switch {
		case err == nil:
			m.said.Do(func() {
				r.client.options.Note(fmt.Sprintf("%s via mirror %s", r.base.Repository(), m.base.Repository()))
			})
			return answer, true
		case ctx.Err() != nil:
			return answer, false // the registry itself will say so
		case !errors.Is(err, registry.ErrNotFound):
			m.client.dead.giveUp(m.host.addr)
			m.passedOver(r, err)
		}
	}
	return answer, false
}
