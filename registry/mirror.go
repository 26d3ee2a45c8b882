package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// mirrors are asked before r itself, where r is only read: who writes must see what is really there.
func (r *Repository) mirrors() []*Repository {
	if r.writable.Load() {
		return nil
	}
	var all []*Repository
	for _, place := range r.client.options.settings(r.host.name).Mirrors {
		host, prefix, _ := strings.Cut(place, "/")
		repo := strings.Trim(prefix+"/"+r.base.Repo, "/")
		all = append(all, r.client.Repository(Ref{Transport: TransportRegistry, Host: host, Repo: repo}, Pull))
	}
	return all
}

// fromMirror is the first answer of a mirror. Each is asked once: the registry itself is the second attempt.
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
		case !errors.Is(err, ErrNotFound):
			m.failed.Do(func() {
				r.client.options.Note(fmt.Sprintf("passing over a mirror of %s: %v", r.base.Repository(), err))
			})
		}
	}
	return answer, false
}
