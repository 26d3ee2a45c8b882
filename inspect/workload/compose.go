package workload

import (
	"errors"
	"path/filepath"
	"strings"

	"mtool/inspect/platform"
)

// isCompose tells a Compose file by its services; one that only includes others must have nothing else that Compose does not
// know, since CI systems include files too.
func isCompose(doc *node) bool {
	if !doc.is(mapping) || doc.get("apiVersion") != nil {
		return false
	}
	if doc.get("services").is(mapping) {
		return true
	}
	for _, p := range doc.members() {
		switch p.key {
		case "include", "name", "version", "networks", "volumes", "configs", "secrets":
		default:
			if !strings.HasPrefix(p.key, "x-") {
				return false
			}
		}
	}
	return doc.get("include") != nil
}

// compose reads a Compose file: https://github.com/compose-spec/compose-spec/blob/main/spec.md
func (r *reader) compose(doc *node) error {
	f := composeFile{path: r.file, dir: filepath.Dir(r.file), doc: doc}
	var err error
	if f.env, err = r.environment(r.options.Env, f.dir, member{}); err != nil {
		return err
	}
	return r.project(f)
}

// project reads what one file says, and what it includes before that.
func (r *reader) project(f composeFile) error {
	outer := r.file
	defer func() { r.file = outer }()
	r.file = f.path
	for _, one := range f.doc.get("include").all() {
		if err := r.include(f, one); err != nil {
			return err
		}
	}
	for _, p := range f.doc.get("services").members() {
		if err := r.service(f, p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) service(f composeFile, name string, own *node) error {
	what := "service " + name
	layers, err := r.extended(f, name, own)
	if err != nil {
		return err
	}
	image := layers.first("image")
	if image.node == nil {
		if built := layers.first("build"); built.node != nil {
			r.note(own.at(), what, "it is built, and names no image: not checked")
			return nil
		}
		r.note(own.at(), what, "no image is named: not checked")
		return nil
	}
	u := Use{Place: Place{What: what}, Process: r.serviceProcess(layers)}
	if wanted := layers.first("platform"); wanted.node != nil {
		value, err := r.filled(what, wanted)
		if err != nil {
			return err
		}
		if u.Platform, err = platform.Parse(value.text); err != nil {
			return errorf(wanted.file.path, wanted.at(), "%s: %w", what, err)
		}
	}
	if u.Selector.all, err = r.placement(what, layers); err != nil {
		return err
	}
	value, err := r.filled(what, image)
	if err != nil {
		return err
	}
	r.file = image.file.path
	defer func() { r.file = f.path }()
	return r.use(imageOf(value), spot{}, u)
}

// filled is a text with its variables filled in. None may stay empty for want of one.
func (r *reader) filled(what string, n member) (*node, error) {
	if !n.is(text) {
		return n.node, nil
	}
	value, err := interpolate(n.text, n.file.env)
	if err == nil && strings.TrimSpace(value) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, errorf(n.file.path, n.at(), "%s: %q: %w", what, n.text, err)
	}
	return &node{kind: text, text: value, line: n.line}, nil
}
