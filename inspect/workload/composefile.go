package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
)

// ErrElsewhere is an ErrFile of what a Compose file takes from somewhere else than a file of this machine.
var ErrElsewhere = errors.New("it is taken from elsewhere, and only local files are followed")

// The limits of a project. compose-go takes about 50 microseconds for a value, in each service that has it or extends it.
const (
	maxFiles    = 1000    // that are named, each as often as it is named
	maxProject  = 20_000  // values that compose-go sees
	maxExtended = 150_000 // values that it may have to copy from services to those that extend them
)

const (
	composeProject  = "COMPOSE_PROJECT_NAME"
	composeServices = "services"
)

// project is a Compose project on its way through compose-go, which merges, extends, includes and fills in. It gets files that
// we wrote: what it needs of each file that Options.Read gave us, with a mark behind each value of which the place matters.
type project struct {
	*reader
	*filler
	parsed   map[string][]*node      // by path
	files    map[string]*composeFile // by path, folder and environment
	marks    []mark
	pattern  *regexp.Regexp  // of a mark
	services map[string]mark // where each is named first, by section and name
	tmp      string          // where the copies lie; "" where no file names another
	name     types.Mapping   // holds the name of the project, where a file says it

	copies int
	last   mark // what was opened last

	// What the limits are about: files that were named, values, services that extend others, the most values of one service, and
	// the longest chain of services that extend each other.
	named, values, extending, largest, chain int
}

// composeFile is a file as compose-go sees it.
type composeFile struct {
	path string // as it is shown
	dir  string // where its paths start
	env  environment
	docs []*node
	data []byte // that compose-go reads
	copy string // where it does
}

func (f *composeFile) key() string { return fmt.Sprintf("%q %q %s", f.path, f.dir, f.env.id) }

// at is a path in the file as seen from here.
func (f *composeFile) at(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// load returns what compose-go makes of a project. A panic of it is an error about the file: it trusts the types of values.
func (p *project) load(files []*composeFile) (model map[string]any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errorf(files[0].path, 0, "it is no Compose file: %v", cause)
		}
	}()
	details := types.ConfigDetails{WorkingDir: "/", Environment: p.name}
	for _, f := range files {
		if err := p.rewrite(f); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if err := p.keep(f); err != nil {
			return nil, err
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: f.copy, Content: f.data})
	}
	model, err = loader.LoadModelWithContext(context.Background(), details, func(o *loader.Options) {
		o.SkipValidation, o.SkipNormalization, o.SkipDefaultValues, o.ResolvePaths = true, true, true, false
		o.MaxNodeVisits = 2 * maxProject
		o.ResourceLoaders = []loader.ResourceLoader{door{p}}
		o.Interpolate = &interpolation.Options{
			Substitute:      func(text string, _ template.Mapping) (string, error) { return p.substitute(text), nil },
			LookupValue:     func(string) (string, bool) { return "", false },
			TypeCastMapping: map[tree.Path]interpolation.Cast{},
		}
	})
	if err != nil {
		return nil, p.explain(files[0], err)
	}
	return model, nil
}

// called answers what the project is called, where the environment does not, and a file does.
func (p *project) called(env variables) variables {
	return func(name string) (string, bool, error) {
		value, set, err := env(name)
		if name != composeProject || set || p.name[composeProject] == "" {
			return value, set, err
		}
		if hole, _, ok := p.unmark(p.name[composeProject]); ok {
			return "", false, hole.err
		}
		return loader.NormalizeProjectName(p.name[composeProject]), true, nil
	}
}

// close removes the copies.
func (p *project) close() {
	if p.tmp != "" {
		os.RemoveAll(p.tmp) //nolint:errcheck // what is left is ours, and harmless
	}
}

// door is how compose-go opens what a file includes or extends: through Options.Read, and as a copy.
type door struct{ *project }

// Accept takes all paths, so that compose-go opens none by itself.
func (door) Accept(string) bool { return true }

// Dir is where relative paths would start, had we left any.
func (door) Dir(string) string { return "/" }

// Load returns the copy of the file that is named at a mark.
func (d door) Load(_ context.Context, path string) (string, error) {
	m, name, ok := d.unmark(path)
	if !ok || m.file == nil {
		return "", fmt.Errorf("%q is a file that no file names", path)
	}
	d.last = m
	at := func(format string, args ...any) error {
		return errorf(m.file.path, m.at.at(), m.what+": "+format, args...)
	}
	switch {
	case m.err != nil:
		return "", at("%q: %w", m.at.text, m.err)
	case strings.Contains(name, "://"), strings.HasPrefix(name, "git@"), d.options.Read == nil:
		return "", at("%q: %w", name, ErrElsewhere)
	}
	if err := d.count(); err != nil {
		return "", at("%w", err)
	}
	f := &composeFile{path: m.file.at(name), env: m.file.env}
	f.dir = filepath.Dir(f.path)
	err := d.open(f)
	if err == nil && m.include != nil {
		err = d.included(f, m)
	}
	var known *composeFile
	if err == nil {
		known, err = d.copied(f)
	}
	var placed fileError
	switch {
	case errors.As(err, &placed):
		return "", placed
	case err != nil:
		return "", at("%w", err)
	}
	return known.copy, nil
}

// included sets the folder and the variables of a file as the item says that includes it.
func (p *project) included(f *composeFile, m mark) (err error) {
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

// open reads a file.
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

// copied is the file with a copy, which is written once for each folder and environment in which it is named.
func (p *project) copied(f *composeFile) (*composeFile, error) {
	if known := p.files[f.key()]; known != nil {
		return known, nil
	}
	if err := p.rewrite(f); err != nil {
		return nil, err
	}
	return f, p.keep(f)
}

// keep writes the copy of a file, if compose-go is to open any.
func (p *project) keep(f *composeFile) (err error) {
	if p.tmp == "" && slices.ContainsFunc(p.marks, func(m mark) bool { return m.what != "" }) {
		if p.tmp, err = os.MkdirTemp("", "mtool-compose-"); err != nil {
			return errorf(f.path, 0, "making a folder for copies of the files that it names: %w", err)
		}
	}
	f.copy = filepath.Join(cmp.Or(p.tmp, "/mtool-compose"), fmt.Sprintf("%d.yaml", p.copies))
	p.copies++
	p.files[f.key()] = f
	if p.tmp == "" {
		return nil
	}
	return os.WriteFile(f.copy, f.data, 0o600)
}

// count limits how often files are named, which is how often compose-go copies what is in them.
func (p *project) count() error {
	if p.named++; p.named > maxFiles {
		return fmt.Errorf("more than %d files are named", maxFiles)
	}
	return nil
}

// substitute is what compose-go calls for each text. One that can't be filled in becomes a hole, which is an error where
// somebody wants that value.
func (p *project) substitute(marked string) string {
	m, text, ok := p.unmark(marked)
	if !ok {
		return marked
	}
	value, err := p.fill(text, m.file.env.lookup)
	switch {
	case err != nil:
		m.err = err
		key, _, _ := strings.Cut(text, "=")
		if strings.Contains(key, "$") || key == text {
			return p.mark(m)
		}
		return key + "=" + p.mark(m)
	case m.located:
		return value + strings.TrimPrefix(marked, text)
	}
	return value
}
