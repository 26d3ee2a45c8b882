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

// project are files that are laid over each other, the last on top, and below them those that they include.
type project struct {
	files    []composeFile
	included []project
}

// member is a value of a service, and the file that it stands in.
type member struct {
	*node
	file composeFile
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

// complete reads what the files of a project include.
func (r *reader) complete(p *project) error {
	for _, f := range p.files {
		for _, item := range f.doc.get("include").all() {
			included, err := r.include(f, item)
			if err != nil {
				return err
			}
			p.included = append(p.included, included)
		}
	}
	return nil
}

// include reads the files of one item of include: a name, or several that are one project.
func (r *reader) include(f composeFile, item *node) (p project, err error) {
	paths, folder, vars := item.all(), member{}, member{}
	if item.is(mapping) {
		paths, folder, vars = item.get("path").all(), member{item.get("project_directory"), f}, member{item.get("env_file"), f}
	}
	dir := ""
	for _, path := range paths {
		inner, err := r.load("include", member{path, f})
		if err != nil {
			return p, err
		}
		if slices.Contains(inner.via, inner.path) {
			return p, errorf(f.path, path.at(), "include: it goes in circles: %s", strings.Join(append(inner.via, inner.path), ", "))
		}
		if dir == "" {
			dir = inner.dir
		}
		if folder.is(text) {
			name, err := r.filled("include", folder)
			if err != nil {
				return p, err
			}
			dir = f.at(name.text)
		}
		inner.dir = dir
		if inner.env, err = r.environment(f.env, dir, vars); err != nil {
			return p, err
		}
		p.files = append(p.files, inner)
	}
	return p, r.complete(&p)
}
