package workload

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// isCompose recognises a Compose file by its services. A file that only includes others must have no members that
// Compose does not know, since CI systems include files too.
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

// compose reads the documents of a Compose file and its overrides:
// https://github.com/compose-spec/compose-spec/blob/main/spec.md
func (r *reader) compose(docs []*node) error {
	p := &project{
		reader: r, filler: newFiller(), pattern: regexp.MustCompile(sign + "([0-9]+)" + sign),
		parsed: map[string][]*node{}, files: map[string]*composeFile{}, included: map[string]map[string]any{},
		services: map[string]mark{},
	}
	files := []*composeFile{{path: r.file, dir: filepath.Dir(r.file), docs: docs}}
	for _, over := range r.options.Over {
		docs, err := documents(over.Name, over.Data)
		if err != nil {
			return err
		}
		files = append(files, &composeFile{path: over.Name, dir: files[0].dir, docs: docs})
	}
	given := r.options.Env
	if given == nil {
		given = func(string) (string, bool, error) { return "", false, nil }
	}
	env, err := p.dotEnv(environment{lookup: given}, files[0].dir)
	if err != nil {
		return errorf(r.file, 0, "%w", err)
	}
	for _, f := range files {
		f.env = env
	}
	p.findName(files)
	for _, f := range files {
		f.env.lookup = p.withName(env.lookup)
	}
	model, err := p.load(files)
	if err != nil {
		return err
	}
	return p.collect(model)
}

// collect reads the project as loaded by compose-go.
func (p *project) collect(model map[string]any) error {
	for _, section := range []struct{ key, word string }{{composeServices, "service"}, {composeJobs, "job"}} {
		all, _ := model[section.key].(map[string]any)
		order := func(a, b string) int {
			return p.services[section.key+" "+a].order - p.services[section.key+" "+b].order
		}
		for _, name := range slices.SortedFunc(maps.Keys(all), order) {
			first := p.services[section.key+" "+name]
			if err := p.service(section.word+" "+name, p.decode(all[name], first)); err != nil {
				return err
			}
		}
	}
	return nil
}

// IsCompose reports whether a file is a Compose file.
func IsCompose(name string, data []byte) bool {
	docs, err := documents(name, data)
	return err == nil && len(docs) > 0 && isCompose(docs[0])
}

// service adds the images that a service names.
func (r *reader) service(what string, s *node) error {
	if profiles := s.get("profiles").words(); len(profiles) > 0 {
		r.remark(s.get("profiles").all()[0], what, "it is checked for all profiles ("+strings.Join(profiles, ", ")+")")
	}
	if err := errors.Join(r.imageVolumes(what, s), r.contexts(what, s), r.hooks(what, s)); err != nil {
		return err
	}
	image := s.get("image")
	switch {
	case image != nil && image.kind != nothing:
		return r.started(what, s, image)
	case s.get("build") != nil:
		r.remark(s, what, "it is built and names no image, so it is not checked")
	case s.get("provider") != nil:
		r.remark(s, what, "a provider runs it, without an image")
	default:
		r.within(s, func() { r.unchecked(s, what, "", "no image is named") })
	}
	return nil
}

// started adds the image that a service starts.
func (r *reader) started(what string, s, image *node) (err error) {
	u := Use{Place: Place{What: what}, Process: serviceProcess(s)}
	if wanted := s.get("platform"); wanted != nil && wanted.kind != nothing {
		if u.Platform, err = r.platform(what, wanted); err != nil {
			return err
		}
	}
	for _, n := range s.get("build", "platforms").all() {
		p, err := r.platform(what, n)
		if err != nil {
			return err
		}
		u.Built = add(u.Built, p)
	}
	if u.Selector.all, err = r.placement(what, s); err != nil {
		return err
	}
	return r.named(what, image, u)
}

func (r *reader) platform(what string, n *node) (v1.Platform, error) {
	value, err := r.filled(what, n)
	if err != nil {
		return v1.Platform{}, err
	}
	p, err := platform.Parse(value)
	if err != nil {
		err = errorf(n.in(r.file), n.at(), "%s: %w", what, err)
	}
	return p, err
}

// imageVolumes adds the images whose files a service uses.
func (r *reader) imageVolumes(what string, s *node) error {
	for _, v := range s.get("volumes").list() {
		if v.get("type").scalar() != "image" {
			continue
		}
		if err := r.named(what+", volume "+v.get("target").scalar(), v.get("source"),
			Use{Process: Process{Volume: true}}); err != nil {
			return err
		}
	}
	return nil
}

// contexts adds the images from which a service's build takes files.
func (r *reader) contexts(what string, s *node) error {
	contexts := s.get("build", "additional_contexts")
	all := contexts.list()
	for _, p := range contexts.members() {
		all = append(all, p.value)
	}
	for _, c := range all {
		before, source, ok := strings.Cut(c.scalar(), "docker-image://")
		if !ok || before != "" && !strings.HasSuffix(before, "=") {
			continue
		}
		image := *c
		image.text = source
		if err := r.named(what+", build context", &image, Use{Process: Process{Volume: true}}); err != nil {
			return err
		}
	}
	return nil
}

// hooks adds the images that run before a service starts.
func (r *reader) hooks(what string, s *node) error {
	for _, hook := range s.get("pre_start").list() {
		if image := hook.get("image"); image != nil {
			if err := r.named(what+", pre_start", image, Use{Process: Process{Unknown: "it is a hook"}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// named adds an image.
func (r *reader) named(what string, n *node, u Use) error {
	u.What = what
	if _, err := r.filled(what, n); err != nil {
		return err
	}
	i := imageOf(n)
	if i.text == "" {
		return errorf(n.in(r.file), n.at(), "%s: the image is not a text", what)
	}
	var err error
	r.within(n, func() { err = r.use(i, spot{}, u) })
	return err
}

// filled returns the text of a value. A value that is empty because a variable is not set is an error.
func (r *reader) filled(what string, n *node) (string, error) {
	value, err := n.scalar(), error(nil)
	switch {
	case n.is(text) && n.from != nil && n.from.err != nil:
		err = fmt.Errorf("%q: %w", n.from.at.text, n.from.err)
	case n.is(text) && strings.TrimSpace(value) == "":
		err = fmt.Errorf("%q: it is empty", n.written())
	}
	if err != nil {
		err = errorf(n.in(r.file), n.at(), "%s: %w", what, err)
	}
	return value, err
}

// within runs do with the name of the value's file.
func (r *reader) within(n *node, do func()) {
	outer := r.file
	r.file = n.in(outer)
	do()
	r.file = outer
}

func (r *reader) remark(at *node, what, text string) {
	r.within(at, func() { r.note(at.at(), what, text) })
}
