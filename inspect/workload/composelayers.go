package workload

import (
	"slices"
	"strings"
)

// layers are what is laid over each other to make a service, the uppermost first.
type layers []member

// first is the value that counts: the uppermost.
func (l layers) first(path ...string) member {
	if all := l.every(path...); len(all) > 0 {
		return all[0]
	}
	return member{}
}

// every are the values of all layers, the uppermost first. Those below a reset or an override don't count.
func (l layers) every(path ...string) (all []member) {
	for _, m := range l {
		value, last := m.node, m.override
		for _, key := range path {
			if value = value.get(key); value != nil && (value.reset || value.override) {
				last = true
			}
		}
		if value != nil && value.kind != nothing {
			all = append(all, member{value, m.file})
		}
		if last {
			break
		}
	}
	return all
}

// names are those of all services, or of another section.
func (p project) names(section string) (all []string) {
	for _, in := range p.included {
		all = append(all, in.names(section)...)
	}
	for _, f := range p.files {
		for _, m := range f.doc.get(section).members() {
			all = append(all, m.key)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(name string) bool {
		before := seen[name]
		seen[name] = true
		return before
	})
}

// layersOf are a service in all files of a project, and what each extends.
func (r *reader) layersOf(p project, section, name string, seen []string) (all layers, err error) {
	for _, f := range slices.Backward(p.files) {
		around := f.doc.get(section)
		own := around.get(name)
		if own.is(mapping) {
			some, err := r.extended(p, member{own, f}, section, name, seen)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		if own != nil && (own.reset || own.override) || around != nil && (around.reset || around.override) {
			return all, nil
		}
	}
	for _, in := range p.included {
		some, err := r.layersOf(in, section, name, seen)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// extended are a service and what it extends; seen are those that led to it.
func (r *reader) extended(p project, own member, section, name string, seen []string) (layers, error) {
	seen = append(slices.Clip(seen), name+" in "+own.file.path)
	from := own.get("extends")
	if from == nil || from.kind == nothing {
		return layers{own}, nil
	}
	first, _, _ := strings.Cut(seen[0], " in ")
	what := "service " + first + ": extends"
	below, service := project{files: []composeFile{own.file}, included: p.included}, from
	if from.is(mapping) {
		service = from.get("service")
	}
	if path := from.get("file"); path != nil {
		file, err := r.load(what, member{path, own.file})
		if err != nil {
			return nil, err
		}
		below = project{files: []composeFile{file}}
	}
	at := func(format string, args ...any) error {
		return errorf(own.file.path, from.at(), what+": "+format, args...)
	}
	switch key := service.scalar() + " in " + below.files[0].path; {
	case slices.Contains(seen, key):
		return nil, at("it goes in circles: %s", strings.Join(append(seen, key), ", "))
	case len(seen) > maxDepth:
		return nil, at("more than %d services extend each other", maxDepth)
	}
	base, err := r.layersOf(below, section, service.scalar(), seen)
	if err == nil && len(base) == 0 {
		err = at("there is no service %q in %s", service.scalar(), below.files[0].path)
	}
	return append(layers{own}, base...), err
}
