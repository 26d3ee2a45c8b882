package workload

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/override"
	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/compose-spec/compose-go/v2/tree"
)

// merge returns what the files set, each over the ones before it:
// https://github.com/compose-spec/compose-spec/blob/main/13-merge.md. The files of through include these.
func (p *project) merge(files, through []*composeFile) (map[string]any, error) {
	all := map[string]any{}
	for _, f := range files {
		through = append(slices.Clip(through), f)
		for _, part := range f.parts {
			s := scope{file: f, values: clone(part.values).(map[string]any), resets: part.resets}
			for _, item := range part.includes {
				included, err := p.include(item, through)
				if err == nil {
					err = p.add(s, included)
				}
				if err != nil {
					return nil, err
				}
			}
			if err := p.extendAll(s); err != nil {
				return nil, err
			}
			var err error
			if all, err = p.over(s, all); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// scope is a document while it is merged.
type scope struct {
	file   *composeFile
	values map[string]any
	resets []tree.Path
}

// over merges a document over those before it.
func (p *project) over(s scope, all map[string]any) (map[string]any, error) {
	s.reset(all, tree.NewPath())
	return guard(p, s.file, func() (map[string]any, error) {
		all, err := override.Merge(all, s.values)
		if err == nil {
			all, err = override.EnforceUnicity(all)
		}
		if err == nil {
			all, err = transform.Canonical(all, false)
		}
		if err == nil {
			all, err = override.EnforceUnicity(all) // the canonical form shows more duplicates
		}
		return all, err
	})
}

// reset removes what the document resets or overrides from values, which are at a path.
func (s scope) reset(values map[string]any, at tree.Path) {
	for key, value := range values {
		next := at.Next(key)
		if slices.Contains(s.resets, next) {
			delete(values, key)
		} else if below, ok := value.(map[string]any); ok {
			s.reset(below, next)
		}
	}
}

// section returns the services or jobs of a document.
func (s scope) section(key string) map[string]any {
	all, ok := s.values[key].(map[string]any)
	if !ok {
		all = map[string]any{}
	}
	return all
}

// include returns what an item of include names.
func (p *project) include(item mark, through []*composeFile) (map[string]any, error) {
	var files []*composeFile
	key := ""
	for _, at := range item.include.get("path").all() {
		m := mark{file: item.file, at: at, what: "include", include: item.include}
		if !at.is(text) {
			return nil, errorf(m.file.path, at.at(), "include: it should be the name of a file")
		}
		name, err := p.fill(at.text, m.file.env.lookup)
		if err != nil {
			return nil, errorf(m.file.path, at.at(), "include: %q: %w", at.text, err)
		}
		f, err := p.file(m, name)
		if err != nil {
			return nil, err
		}
		if i := slices.Index(through, f); i >= 0 {
			paths := []string{}
			for _, f := range through[i:] {
				paths = append(paths, f.path)
			}
			return nil, errorf(m.file.path, at.at(), "include: circular reference: %s", circle(paths))
		}
		files, key = append(files, f), key+f.key()+"\n"
	}
	if _, known := p.included[key]; !known {
		included, err := p.merge(files, through)
		if err != nil {
			return nil, err
		}
		p.included[key] = included
	}
	return clone(p.included[key]).(map[string]any), nil
}

// add merges a document over what it includes.
func (p *project) add(s scope, included map[string]any) error {
	for _, section := range []string{composeServices, composeJobs} {
		from, ok := included[section].(map[string]any)
		if !ok {
			continue
		}
		to := s.section(section)
		for name, value := range from {
			own, there := to[name]
			if there && reflect.DeepEqual(own, value) {
				continue // included twice
			}
			if there {
				s.reset(map[string]any{section: map[string]any{name: value}}, tree.NewPath())
				merged, err := guard(p, s.file, func() (any, error) {
					return override.MergeYaml(value, own, tree.NewPath(section, name))
				})
				if err != nil {
					return err
				}
				value = merged
			}
			to[name] = value
		}
		s.values[section] = to
	}
	return nil
}

// extendAll merges each service over the one that it extends.
func (p *project) extendAll(s scope) error {
	for _, section := range []string{composeServices, composeJobs} {
		for _, name := range slices.Sorted(maps.Keys(s.section(section))) {
			if _, err := p.extend(s, section, name, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// link is a service that extends the next of a chain.
type link struct {
	file *composeFile
	name string
}

func (l link) String() string { return l.name + " in " + l.file.path }

// extend returns a service merged over the one that it extends. The services of chain extend it.
func (p *project) extend(s scope, section, name string, chain []link) (any, error) {
	services := s.section(section)
	service, ok := services[name].(map[string]any)
	if !ok || service["extends"] == nil {
		return services[name], nil
	}
	base, err := p.base(s, section, name, service["extends"])
	if err != nil {
		return nil, err
	}
	if i := slices.Index(chain, link{s.file, name}); i >= 0 {
		return nil, base.errorf("circular reference: %s", circle(chain[i:]))
	}
	extended, err := p.extend(base.scope, base.section, base.name, append(slices.Clip(chain), link{s.file, name}))
	if err != nil || extended == nil {
		return service, err
	}
	extended = clone(extended)
	s.reset(map[string]any{section: map[string]any{name: extended}}, tree.NewPath())
	merged, err := guard(p, s.file, func() (map[string]any, error) {
		return override.ExtendService(extended.(map[string]any), service)
	})
	if err != nil {
		return nil, err
	}
	delete(merged, "extends")
	services[name] = merged
	return merged, nil
}

// extended is a service that another extends.
type extended struct {
	scope
	section, name string
	at            mark   // where it is named
	by            string // the service that extends it
}

func (e extended) errorf(format string, args ...any) error {
	return errorf(e.at.file.path, e.at.at.at(), e.by+": extends: "+format, args...)
}

// base returns the service that is named by extends.
func (p *project) base(s scope, section, name string, extends any) (extended, error) {
	e := extended{scope: s, section: section, by: "service " + name, at: p.services[section+" "+name]}
	var file any
	if members, ok := extends.(map[string]any); ok {
		extends, file = members["service"], members["file"]
	}
	m, ref, ok := p.unmark(fmt.Sprint(extends))
	switch e.name = ref; {
	case !ok:
		return e, e.errorf("it should be the name of a service")
	case m.err != nil:
		return e, errorf(m.file.path, m.at.at(), "%s: extends: %q: %w", e.by, m.at.text, m.err)
	}
	e.at = m
	if file != nil {
		m, path, ok := p.unmark(fmt.Sprint(file))
		switch {
		case !ok:
			return e, e.errorf("it should be the name of a file")
		case m.err != nil:
			return e, errorf(m.file.path, m.at.at(), "%s: extends: %q: %w", e.by, m.at.text, m.err)
		}
		m.what = e.by + ": extends"
		f, err := p.file(m, path)
		if err != nil {
			return e, err
		}
		if e.scope, err = p.alone(f); err != nil {
			return e, err
		}
		e.section = composeServices
	}
	if _, there := e.scope.section(e.section)[ref]; !there {
		return e, e.errorf("no service %q in %s", ref, e.file.path)
	}
	return e, nil
}

// alone returns what a file says by itself: without what it includes, and before its services extend others.
func (p *project) alone(f *composeFile) (scope, error) {
	s := scope{file: f}
	for _, part := range f.parts {
		s.resets = append(s.resets, part.resets...)
	}
	if f.base == nil {
		all := map[string]any{}
		for _, part := range f.parts {
			var err error
			own := scope{file: f, values: clone(part.values).(map[string]any), resets: part.resets}
			if all, err = p.over(own, all); err != nil {
				return s, err
			}
		}
		f.base = all
	}
	s.values = clone(f.base).(map[string]any)
	return s, nil
}

// clone returns a copy of a value: compose-go changes what it merges.
func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for key, member := range v {
			all[key] = clone(member)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, item := range v {
			all[i] = clone(item)
		}
		return all
	}
	return value
}

// circle describes files or services that lead back to the first, starting with the first by name.
func circle[T any](round []T) string {
	names := make([]string, len(round))
	for i, one := range round {
		names[i] = fmt.Sprint(one)
	}
	first := slices.Index(names, slices.Min(names))
	return strings.Join(slices.Concat(names[first:], names[:first+1]), ", ")
}
