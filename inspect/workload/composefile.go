package workload

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrElsewhere is an ErrFile about something that a Compose file does not take from a file on this machine.
var ErrElsewhere = errors.New("it is not a local file, and no others are read")

// The limits of a project. compose-go needs about 50 microseconds for a value, in each service that has or extends
// it.
const (
	maxFiles    = 1000    // counting every mention
	maxProject  = 20_000  // values of all files
	maxExtended = 150_000 // values that may be copied from services to those that extend them
)

const (
	composeProject  = "COMPOSE_PROJECT_NAME"
	composeServices = "services"
	composeJobs     = "jobs"
)

// project is a Compose project while its files are read and merged. Options.Read opens them. compose-go merges the
// relevant parts of each, with a mark after each value whose position matters.
type project struct {
	*reader
	*filler
	parsed   map[string][]*node        // by path
	files    map[string]*composeFile   // by path, directory and environment
	included map[string]map[string]any // what an include adds, by the keys of its files
	marks    []mark
	pattern  *regexp.Regexp  // of a mark
	services map[string]mark // where each is first named, by section and name
	name     setting         // the name of the project, if a file sets it

	// What is limited: files that were named, values, services that extend others, the most values of one service.
	named, values, extending, largest int
}

// composeFile is a file of a project.
type composeFile struct {
	path  string // as it is shown
	dir   string // where its paths start
	env   environment
	docs  []*node
	parts []part         // of each document
	base  map[string]any // what the file says by itself, once a service extends one of it

	level int // how many files led here, each named by the one before
	chain int // the longest chain of services in it that extend each other
}

func (f *composeFile) key() string { return fmt.Sprintf("%q %q %s", f.path, f.dir, f.env.id) }

// at returns a path in the file, relative to this process.
func (f *composeFile) at(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// load reads and merges the files.
func (p *project) load(files []*composeFile) (map[string]any, error) {
	for _, f := range files {
		if err := p.read(f); err != nil {
			return nil, err
		}
		p.files[f.key()] = f
	}
	if err := p.limit(); err != nil {
		return nil, errorf(files[0].path, 0, "%w", err)
	}
	return p.merge(files, nil)
}

// limit bounds what is copied to extending services, across all files that led to each other.
func (p *project) limit() error {
	longest := map[int]int{} // by level
	for _, f := range p.files {
		longest[f.level] = max(longest[f.level], f.chain)
	}
	chain := 0
	for _, n := range longest {
		chain += n
	}
	if p.extending*p.largest*chain > maxExtended {
		return fmt.Errorf("it is too large: %d services extend others, of up to %d values", p.extending, p.largest)
	}
	return nil
}

// file returns the file that an include or a service names.
func (p *project) file(m mark, name string) (*composeFile, error) {
	at := func(format string, args ...any) error {
		return errorf(m.file.path, m.at.at(), m.what+": "+format, args...)
	}
	switch {
	case strings.Contains(name, "://"), strings.HasPrefix(name, "git@"), p.options.Read == nil:
		return nil, at("%q: %w", name, ErrElsewhere)
	}
	if err := p.count(); err != nil {
		return nil, at("%w", err)
	}
	f := &composeFile{path: m.file.at(name), env: m.file.env}
	f.dir = filepath.Dir(f.path)
	err := p.open(f)
	if err == nil && m.include != nil {
		err = p.place(f, m)
	}
	if err == nil {
		f, err = p.known(f)
	}
	if err == nil {
		f.level = max(f.level, m.file.level+1)
		err = p.limit()
	}
	if _, placed := errors.AsType[fileError](err); err != nil && !placed {
		err = at("%w", err)
	}
	return f, err
}

// open reads the documents of a file.
func (p *project) open(f *composeFile) error {
	docs, known := p.parsed[f.path]
	if !known {
		data, err := p.options.Read(f.path)
		if err != nil {
			return fmt.Errorf("reading %q: %w", f.path, err)
		}
		if docs, err = documents(f.path, data); err != nil {
			return err
		}
		p.parsed[f.path] = docs
	}
	f.docs = docs
	return nil
}

// place sets the directory and the variables of an included file.
func (p *project) place(f *composeFile, m mark) (err error) {
	fill := func(n *node) (string, error) {
		name, err := p.fill(n.str(), m.file.env.lookup)
		if err != nil {
			err = errorf(m.file.path, n.at(), "include: %q: %w", n.text, err)
		}
		return m.file.at(name), err
	}
	switch folder, paths := m.include.get("project_directory"), m.include.get("path").all(); {
	case folder.is(text):
		f.dir, err = fill(folder)
	case len(paths) > 1:
		f.dir, err = fill(paths[0])
		f.dir = filepath.Dir(f.dir)
	}
	if err == nil {
		f.env, err = p.environment(m.file.env, f.dir, m.file, m.include.get("env_file"))
	}
	return err
}

// known returns the file as it was read before with the same directory and environment, or reads it.
func (p *project) known(f *composeFile) (*composeFile, error) {
	if known := p.files[f.key()]; known != nil {
		return known, nil
	}
	p.files[f.key()] = f
	return f, p.read(f)
}

// count limits how often files are named.
func (p *project) count() error {
	if p.named++; p.named > maxFiles {
		return fmt.Errorf("more than %d files are named", maxFiles)
	}
	return nil
}

// findName sets the name of the project: the last that the files set.
func (p *project) findName(files []*composeFile) {
	for _, f := range files {
		for _, doc := range f.docs {
			name := doc.get("name").scalar()
			if name == "" {
				continue
			}
			p.name.value, p.name.err = p.fill(name, f.env.lookup)
			p.name.value = normalName(p.name.value)
		}
	}
}

// normalName returns a project's name as Compose uses it:
// https://github.com/compose-spec/compose-spec/blob/main/spec.md#name-top-level-element
func normalName(name string) string {
	letters := []rune(strings.ToLower(name))
	letters = slices.DeleteFunc(letters, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-", c)
	})
	return strings.TrimLeft(string(letters), "_-")
}

// withName adds the project's name from a file to the variables, which take precedence.
func (p *project) withName(env variables) variables {
	return func(name string) (string, bool, error) {
		value, set, err := env(name)
		if name != composeProject || set || p.name == (setting{}) {
			return value, set, err
		}
		return p.name.value, p.name.err == nil, p.name.err
	}
}
