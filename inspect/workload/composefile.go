package workload

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
)

// ErrElsewhere is an ErrFile of what a Compose file takes from somewhere else than a file of this machine.
var ErrElsewhere = errors.New("it is taken from elsewhere, and only local files are followed")

// maxFiles are followed for one file, each as often as it is named.
const maxFiles = 256

// composeFile is one file of a project.
type composeFile struct {
	path string
	dir  string // where its paths start
	doc  *node
	env  variables
	via  []string // the files that include it, outermost first
}

// member is a value of a service, and the file that it stands in.
type member struct {
	*node
	file composeFile
}

// layers are a service and what it extends, nearest first.
type layers []member

// first is the value that counts: that of the nearest which has one.
func (l layers) first(path ...string) member {
	for _, m := range l {
		if value := m.get(path...); value != nil && value.kind != nothing {
			return member{value, m.file}
		}
	}
	return member{}
}

// load reads a file that is named at n.
func (r *reader) load(what string, n member) (composeFile, error) {
	name, err := r.filled(what, n)
	if err != nil {
		return composeFile{}, err
	}
	at := func(format string, args ...any) error { return errorf(n.file.path, n.at(), what+": "+format, args...) }
	switch {
	case !name.is(text):
		return composeFile{}, at("the name of a file is wanted")
	case strings.Contains(name.text, "://"), strings.HasPrefix(name.text, "git@"), r.options.Read == nil:
		return composeFile{}, at("%q: %w", name.text, ErrElsewhere)
	}
	if r.files++; r.files > maxFiles {
		return composeFile{}, at("more than %d files are named", maxFiles)
	}
	f := composeFile{path: n.file.at(name.text), env: n.file.env, via: append(slices.Clip(n.file.via), n.file.path)}
	f.dir = filepath.Dir(f.path)
	if doc, known := r.parsed[f.path]; known {
		f.doc = doc
		return f, nil
	}
	data, err := r.options.Read(f.path)
	if err != nil {
		return f, at("reading %q: %w", f.path, err)
	}
	docs, err := documents(f.path, data)
	if err != nil {
		return f, err
	}
	if len(docs) > 0 {
		f.doc = docs[0]
	}
	r.parsed[f.path] = f.doc
	return f, nil
}

// at is a path in the file as seen from here.
func (f composeFile) at(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// include reads the files of one item of include: a name, or several that are one project.
func (r *reader) include(f composeFile, item *node) error {
	paths, folder, vars := item.all(), member{}, member{}
	if item.is(mapping) {
		paths, folder, vars = item.get("path").all(), member{item.get("project_directory"), f}, member{item.get("env_file"), f}
	}
	dir := ""
	for _, path := range paths {
		inner, err := r.load("include", member{path, f})
		if err != nil {
			return err
		}
		if slices.Contains(inner.via, inner.path) {
			return errorf(f.path, path.at(), "include: it goes in circles: %s", strings.Join(append(inner.via, inner.path), ", "))
		}
		if dir == "" {
			dir = inner.dir
		}
		if folder.is(text) {
			name, err := r.filled("include", folder)
			if err != nil {
				return err
			}
			dir = f.at(name.text)
		}
		inner.dir = dir
		if inner.env, err = r.environment(f.env, dir, vars); err != nil {
			return err
		}
		if err := r.project(inner); err != nil {
			return err
		}
	}
	return nil
}

// extended are a service and what it extends.
func (r *reader) extended(f composeFile, name string, own *node) (layers, error) {
	all := layers{{own, f}}
	seen := []string{name + " in " + f.path}
	for {
		last := all[len(all)-1]
		from := last.get("extends")
		if from == nil || from.kind == nothing {
			return all, nil
		}
		what := "service " + name + ": extends"
		file, service := last.file, from
		if from.is(mapping) {
			service = from.get("service")
			if path := from.get("file"); path != nil {
				var err error
				if file, err = r.load(what, member{path, last.file}); err != nil {
					return nil, err
				}
			}
		}
		base, key := file.doc.get("services", service.scalar()), service.scalar()+" in "+file.path
		switch {
		case base == nil:
			return nil, errorf(last.file.path, from.at(), "%s: there is no service %q in %s", what, service.scalar(), file.path)
		case slices.Contains(seen, key):
			return nil, errorf(last.file.path, from.at(), "%s: it goes in circles: %s", what, strings.Join(append(seen, key), ", "))
		}
		all, seen = append(all, member{base, file}), append(seen, key)
	}
}
