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

// variables answer what a variable is set to, as Options.Env does.
type variables func(name string) (value string, set bool, err error)

// environment are the variables of a Compose file.
type environment struct {
	id     string // the same for environments that answer the same: a hash of each file, in their order
	lookup variables
}

// setting is a variable of a file; err is why its value is not known.
type setting struct {
	value string
	err   error
}

// beneath lays variables under an environment: what it has already, stays.
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

// over answers what the first knows, and then what is set.
func over(first variables, set map[string]setting) variables {
	return func(name string) (string, bool, error) {
		value, known, err := first(name)
		if own, ok := set[name]; ok && !known {
			return own.value, own.err == nil, own.err
		}
		return value, known, err
	}
}

// environment is where Compose looks for the variables of the files in dir: in what holds already, then in the files
// that env_file names or, where it names none, in .env.
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
			continue // how Compose is told to take none
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

// dotEnv are the variables of .env in dir, if there is one.
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

// parseVariables are the variables that a file sets, as Compose reads .env. One that is made of a variable which is not
// set is left out.
func parseVariables(body []byte) (map[string]string, error) {
	set, all := map[string]setting{}, map[string]string{}
	nobody := func(string) (string, bool, error) { return "", false, nil }
	if err := newFiller().parse(body, nobody, set); err != nil {
		return nil, err
	}
	for name, s := range set {
		if s.err == nil {
			all[name] = s.value
		}
	}
	return all, nil
}

// maxValueLines is the limit of the lines of one value.
const maxValueLines = 1000

// parse adds what a file sets. dotenv takes statement after statement, and sees no dollar sign: values that are made of
// others by dotenv itself may double with each line.
func (f *filler) parse(body []byte, outer variables, set map[string]setting) error {
	inherited := func(name string) (string, bool) {
		value, known, err := outer(name)
		return value, known && err == nil
	}
	statement, first, lines := "", 1, 0
	body = bytes.ReplaceAll(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	if bytes.IndexByte(body, 0) >= 0 {
		return errors.New("it is no text")
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

// setting fills the variables of a value in, in which \x00 stands for a dollar sign. One in single quotes is literal.
func (f *filler) setting(value string, literal bool, lookup variables) (s setting) {
	if literal {
		return setting{value: strings.ReplaceAll(value, "\x00", "$")}
	}
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\\\x00", "$$"), "\x00", "$")
	s.value, s.err = f.fill(value, lookup)
	return s
}
