package workload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
)

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

	// What the limits are about: files that were named, values, services that extend others, the most values of one service.
	named, values, extending, largest int
}

// composeFile is a file as compose-go sees it.
type composeFile struct {
	path string // as it is shown
	dir  string // where its paths start
	env  environment
	docs []*node
	data []byte // that compose-go reads
	copy string // where it does

	level int // how many files led here, each named by the one before
	chain int // the longest chain of services in it that extend each other
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
		if err := errors.Join(p.keep(f), p.limit()); err != nil {
			return nil, errorf(f.path, 0, "%w", err)
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

// limit keeps down what compose-go copies from services to those that extend them, across all files that led to each other.
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
