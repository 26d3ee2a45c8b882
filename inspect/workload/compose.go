package workload

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

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
		case "include", "name", "version", "networks", "volumes", "configs", "secrets", "models", "jobs":
		default:
			if !strings.HasPrefix(p.key, "x-") {
				return false
			}
		}
	}
	return doc.get("include") != nil
}

// compose reads the documents of a Compose file, and what is laid over them:
// https://github.com/compose-spec/compose-spec/blob/main/spec.md
func (r *reader) compose(docs []*node) error {
	f := composeFile{path: r.file, dir: filepath.Dir(r.file)}
	var err error
	if f.env, err = r.environment(r.options.Env, f.dir, member{}); err != nil {
		return err
	}
	var p project
	add := func(path string, docs []*node) {
		for _, doc := range docs {
			p.files = append(p.files, composeFile{path: path, dir: f.dir, doc: doc, env: f.env})
		}
	}
	add(r.file, docs)
	for _, over := range r.options.Over {
		docs, err := documents(over.Name, over.Data)
		if err != nil {
			return err
		}
		add(over.Name, docs)
	}
	return r.project(p)
}

// IsCompose reports whether a file is one of Compose.
func IsCompose(name string, data []byte) bool {
	docs, err := documents(name, data)
	return err == nil && len(docs) > 0 && isCompose(docs[0])
}

// project reads what the files of a project say together.
func (r *reader) project(p project) error {
	if err := r.complete(&p); err != nil {
		return err
	}
	for _, section := range []struct{ key, word string }{{"services", "service"}, {"jobs", "job"}} {
		for _, name := range p.names(section.key) {
			all, err := r.layersOf(p, section.key, name, nil)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				continue // it was reset
			}
			if err := r.service(section.word+" "+name, all); err != nil {
				return err
			}
		}
	}
	return nil
}

// service adds the images that a service names.
func (r *reader) service(what string, l layers) error {
	own := l[0]
	if profiles := l.first("profiles"); len(profiles.words()) > 0 {
		r.remark(profiles, what, "it is checked whatever the profiles ("+strings.Join(profiles.words(), ", ")+")")
	}
	if err := r.mountedImages(what, l); err != nil {
		return err
	}
	image := l.first("image")
	switch {
	case image.node != nil:
		return r.started(what, l, image)
	case l.first("build").node != nil:
		r.remark(own, what, "it is built, and names no image: not checked")
	case l.first("provider").node != nil:
		r.remark(own, what, "a provider runs it, and no image is named")
	default:
		r.within(own.file, func() { r.unchecked(own.node, what, "", "no image is named") })
	}
	return nil
}

// started is the image that a service starts.
func (r *reader) started(what string, l layers, image member) (err error) {
	u := Use{Place: Place{What: what}, Process: r.serviceProcess(l)}
	if wanted := l.first("platform"); wanted.node != nil {
		if u.Platform, err = r.platform(what, wanted); err != nil {
			return err
		}
	}
	for _, m := range l.every("build", "platforms") {
		for _, n := range m.all() {
			p, err := r.platform(what, member{n, m.file})
			if err != nil {
				return err
			}
			u.Built = add(u.Built, p)
		}
	}
	if u.Selector.all, err = r.placement(what, l); err != nil {
		return err
	}
	return r.named(what, image, u)
}

func (r *reader) platform(what string, n member) (v1.Platform, error) {
	value, err := r.filled(what, n)
	if err != nil {
		return v1.Platform{}, err
	}
	p, err := platform.Parse(value.scalar())
	if err != nil {
		err = errorf(n.file.path, n.at(), "%s: %w", what, err)
	}
	return p, err
}

// mountedImages are those that a service uses and does not start: volumes, contexts of its build, and hooks.
func (r *reader) mountedImages(what string, l layers) error {
	var targets []string
	for _, m := range l.every("volumes") {
		for _, v := range m.list() {
			target := v.get("target").scalar()
			if target != "" && slices.Contains(targets, target) {
				continue // a layer above has something else there
			}
			targets = append(targets, target)
			if v.get("type").scalar() != "image" {
				continue
			}
			if err := r.named(what+", volume "+target, member{v.get("source"), m.file}, Use{Process: Process{Volume: true}}); err != nil {
				return err
			}
		}
	}
	return errors.Join(r.contexts(what, l), r.hooks(what, l))
}

// contexts are the images that a build of the service takes files from.
func (r *reader) contexts(what string, l layers) error {
	for _, m := range l.every("build", "additional_contexts") {
		contexts := m.list()
		for _, p := range m.members() {
			contexts = append(contexts, p.value)
		}
		for _, c := range contexts {
			_, source, ok := strings.Cut(c.scalar(), "docker-image://")
			if !ok {
				continue
			}
			inner := &node{kind: text, text: source, line: c.line}
			if err := r.named(what+", build context", member{inner, m.file}, Use{Process: Process{Volume: true}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// hooks are images that run before a service starts.
func (r *reader) hooks(what string, l layers) error {
	for _, m := range l.every("pre_start") {
		for _, hook := range m.list() {
			if image := hook.get("image"); image != nil {
				if err := r.named(what+", pre_start", member{image, m.file}, Use{Process: Process{Unknown: "it is a hook"}}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// named adds an image with its variables filled in.
func (r *reader) named(what string, n member, u Use) error {
	u.What = what
	value, err := r.filled(what, n)
	if err != nil {
		return err
	}
	if i := imageOf(value); i.text != "" {
		r.within(n.file, func() { err = r.use(i, spot{}, u) })
		return err
	}
	return errorf(n.file.path, n.at(), "%s: the image is no text", what)
}

// within does something in the name of a file.
func (r *reader) within(f composeFile, do func()) {
	outer := r.file
	r.file = f.path
	do()
	r.file = outer
}

func (r *reader) remark(at member, what, text string) {
	r.within(at.file, func() { r.note(at.at(), what, text) })
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
