package workload

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// variables looks up a variable, like Options.Env.
type variables func(name string) (value string, set bool, err error)

// environment has the variables of a Compose file.
type environment struct {
	id     string // the same for equal environments: the hashes of the files in order
	lookup variables
}

// setting is a variable of a file; err says why its value is unknown.
type setting struct {
	value string
	err   error
}

// beneath adds variables to an environment, whose own take precedence.
func (e environment) beneath(set map[string]setting) environment {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(hash, "%q=%q %v\n", name, set[name].value, set[name].err)
	}
	id := fmt.Sprintf("%x;", hash.Sum(nil))
	if len(set) == 0 || strings.Contains(e.id, id) {
		return e
	}
	return environment{e.id + id, over(e.lookup, set)}
}

// over looks up variables in first, then in set.
func over(first variables, set map[string]setting) variables {
	return func(name string) (string, bool, error) {
		value, known, err := first(name)
		if own, ok := set[name]; ok && !known {
			return own.value, own.err == nil, own.err
		}
		return value, known, err
	}
}

// environment returns the variables for files in dir: those of outer, then those in the files that env_file names or,
// without env_file, in .env.
func (p *project) environment(outer environment, dir string, by *composeFile, envFile *node) (environment, error) {
	if envFile == nil {
		return p.dotEnv(outer, dir)
	}
	set := map[string]setting{}
	for _, n := range envFile.all() {
		at := func(format string, args ...any) error { return errorf(by.path, n.at(), "env_file: "+format, args...) }
		if !n.is(text) || p.options.Read == nil {
			return outer, at("%w", ErrElsewhere)
		}
		name, err := p.fill(n.text, outer.lookup)
		if err != nil {
			return outer, at("%q: %w", n.text, err)
		}
		if name == os.DevNull {
			continue // means no file
		}
		path := by.at(name)
		if err := p.count(); err != nil {
			return outer, at("%w", err)
		}
		body, err := p.options.Read(path)
		if err == nil {
			err = p.parse(body, outer.lookup, set)
		}
		if err != nil {
			return outer, at("reading %q: %w", path, err)
		}
	}
	return outer.beneath(set), nil
}

// dotEnv adds the variables of .env in dir, if there is one.
func (p *project) dotEnv(outer environment, dir string) (environment, error) {
	if p.options.Read == nil {
		return outer, nil
	}
	path := filepath.Join(dir, ".env")
	set := map[string]setting{}
	body, err := p.options.Read(path)
	if err == nil {
		err = p.parse(body, outer.lookup, set)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return outer, fmt.Errorf("reading the variables of %q: %w", path, err)
	}
	return outer.beneath(set), nil
}

// parseVariables returns the variables that a file sets, parsed like Compose's .env. Those that use an unset variable
// are left out.
func parseVariables(body []byte) (map[string]string, error) {
	set, all := map[string]setting{}, map[string]string{}
	none := func(string) (string, bool, error) { return "", false, nil }
	if err := newFiller().parse(body, none, set); err != nil {
		return nil, err
	}
	for name, s := range set {
		if s.err == nil {
			all[name] = s.value
		}
	}
	return all, nil
}

// maxValueLines limits the lines of one value.
const maxValueLines = 1000

// parse adds the variables that a file sets. dotenv gets one statement at a time, without dollar signs: if it
// interpolated itself, values could double with each line.
func (f *filler) parse(body []byte, outer variables, set map[string]setting) error {
	inherited := func(name string) (string, bool) {
		value, known, err := outer(name)
		return value, known && err == nil
	}
	statement, first, lines := "", 1, 0
	body = bytes.ReplaceAll(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	if bytes.IndexByte(body, 0) >= 0 {
		return errors.New("it is not a text")
	}
	if f.work += len(body); f.work > maxWork {
		return errWork
	}
	for line := range strings.Lines(string(body)) {
		statement, lines = statement+line, lines+1
		values, err := dotenv.ParseWithLookup(strings.NewReader(strings.ReplaceAll(statement, "$", "\x00")), inherited)
		switch {
		case err != nil && strings.Contains(err.Error(), "unterminated quoted value") && lines < maxValueLines:
			continue
		case err != nil:
			return fmt.Errorf("line %d: it sets no variable, or a quote is not closed", first)
		case len(values) > 1:
			return fmt.Errorf("line %d: it sets more than one variable", first)
		}
		for name, value := range values {
			set[name] = f.setting(value, f.literal.MatchString(statement), over(outer, set))
		}
		statement, first, lines = "", first+lines, 0
	}
	if statement != "" {
		return fmt.Errorf("line %d: a quote is not closed", first)
	}
	return nil
}

// setting interpolates a value, in which \x00 stands for a dollar sign. A value in single quotes is literal.
func (f *filler) setting(value string, literal bool, lookup variables) (s setting) {
	if literal {
		return setting{value: strings.ReplaceAll(value, "\x00", "$")}
	}
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\\\x00", "$$"), "\x00", "$")
	s.value, s.err = f.fill(value, lookup)
	return s
}
