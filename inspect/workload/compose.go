package workload

import (
	"errors"
	"strings"

	"mtool/inspect/platform"
)

// compose reads a Compose file: https://github.com/compose-spec/compose-spec/blob/main/spec.md
func (r *reader) compose(doc *node) error {
	if include := doc.get("include"); include != nil {
		r.note(include.at(), "", "include is not followed; give those files too, or docker compose config | mtool inspect -f -")
	}
	for _, p := range doc.get("services").members() {
		if err := r.service("service "+p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) service(what string, s *node) error {
	image := s.get("image")
	switch {
	case s.get("extends") != nil && image == nil:
		r.note(s.get("extends").at(), what, "extends is not followed: not checked; docker compose config | mtool inspect -f - has it all")
		return nil
	case image == nil && s.get("build") != nil:
		r.note(s.get("build").at(), what, "it is built, and names no image: not checked")
		return nil
	case image == nil || image.kind == nothing:
		r.note(s.at(), what, "no image is named: not checked")
		return nil
	case s.get("extends") != nil:
		r.note(s.get("extends").at(), what, "extends is not followed")
	}
	name, err := r.filled(what, image)
	if err != nil {
		return err
	}
	u := Use{Place: Place{What: what}}
	if wanted := s.get("platform"); wanted != nil && wanted.kind != nothing {
		value, err := r.filled(what, wanted)
		if err != nil {
			return err
		}
		if u.Platform, err = platform.Parse(value.text); err != nil {
			return errorf(r.file, wanted.at(), "%s: %w", what, err)
		}
	}
	return r.use(name, u)
}

// filled is a text with its variables filled in. None may stay empty for want of one.
func (r *reader) filled(what string, n *node) (*node, error) {
	if !n.is(text) {
		return n, nil
	}
	lookup := r.options.Env
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	value, err := interpolate(n.text, lookup)
	if err == nil && strings.TrimSpace(value) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, errorf(r.file, n.at(), "%s: %q: %w", what, n.text, err)
	}
	return &node{kind: text, text: value, line: n.line}, nil
}
