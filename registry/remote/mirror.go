package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mtool/registry"
)

// mirrors returns the mirrors to try before r itself, if r is only read: a caller that writes must see what is really
// there.
func (r *Repository) mirrors() []*Repository {
	if r.writable.Load() {
		return nil
	}
	var all []*Repository
	for _, mirror := range r.client.options.settings(r.host.name).Mirrors {
		host, prefix, _ := strings.Cut(mirror, "/")
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

// fromMirror returns the first answer of a mirror. Each is tried once: the registry itself is the second attempt.
func fromMirror[T any](ctx context.Context, r *Repository, ask func(*Repository) (T, error)) (answer T, ok bool) {
	for _, m := range r.mirrors() {
		answer, err := ask(m)
		switch {
		case err == nil:
			m.used.Do(func() {
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
