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

// The limits of a project. compose-go needs about 50 microseconds for a value, in each service that has or extends
// it.
const (
	maxFiles    = 1000    // counting every mention
	maxProject  = 20_000  // values that compose-go sees
	maxExtended = 150_000 // values that it may have to copy from services to those that extend them
)

const (
	composeProject  = "COMPOSE_PROJECT_NAME"
	composeServices = "services"
)

// project is a Compose project while compose-go merges, extends, includes and interpolates it. compose-go gets
// copies: the relevant parts of each file from Options.Read, with a mark after each value whose position matters.
type project struct {
	*reader
	*filler
	parsed   map[string][]*node      // by path
	files    map[string]*composeFile // by path, folder and environment
	marks    []mark
	pattern  *regexp.Regexp  // of a mark
	services map[string]mark // where each is first named, by section and name
	tmp      string          // the folder of the copies; "" if no file names another
	name     types.Mapping   // the name of the project, if a file sets it

	copies int
	last   mark // what was opened last

	// What is limited: files that were named, values, services that extend others, the most values of one service.
	named, values, extending, largest int
}

// composeFile is a file as compose-go sees it.
type composeFile struct {
	path string // as it is shown
	dir  string // where its paths start
	env  environment
	docs []*node
	data []byte // for compose-go
	copy string // the path of that copy

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

// load returns the project as loaded by compose-go. It trusts the types of values, so its panics become errors about
// the file.
func (p *project) load(files []*composeFile) (model map[string]any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errorf(files[0].path, 0, "it is not a Compose file: %v", cause)
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

// limit bounds what compose-go copies to extending services, across all files that led to each other.
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

// called returns the project's name from a file, unless the environment sets it.
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
		os.RemoveAll(p.tmp) //nolint:errcheck // a leftover is harmless
	}
}

// substitute is called by compose-go for each text. A text that can't be interpolated becomes a hole, which is an
// error only if its value is used.
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
