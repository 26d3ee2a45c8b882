package workload

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
)

// variables answer what a variable is set to, as Options.Env does.
type variables func(name string) (value string, set bool, err error)

// environment is where Compose looks for the variables of a file: in what holds already, then in the files that env_file
// names or, where it names none, in .env in the folder.
func (r *reader) environment(outer variables, dir string, named member) (variables, error) {
	set := map[string]string{}
	if named.node == nil && r.options.Read != nil {
		body, err := r.options.Read(filepath.Join(dir, ".env"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errorf(r.file, 0, "reading the variables: %w", err)
		}
		maps.Copy(set, ParseVariables(body))
	}
	for _, n := range named.all() {
		name, err := r.filled("env_file", member{n, named.file})
		if err == nil && (!name.is(text) || r.options.Read == nil) {
			err = errorf(named.file.path, n.at(), "env_file: %w", ErrElsewhere)
		}
		if err != nil {
			return nil, err
		}
		body, err := r.options.Read(named.file.at(name.text))
		if err != nil {
			return nil, errorf(named.file.path, n.at(), "env_file: reading %q: %w", named.file.at(name.text), err)
		}
		maps.Copy(set, ParseVariables(body))
	}
	return func(name string) (value string, known bool, err error) {
		if outer != nil {
			if value, known, err = outer(name); known {
				return value, true, nil
			}
		}
		if own, ok := set[name]; ok {
			return own, true, nil
		}
		return "", false, err
	}, nil
}

// ParseVariables are the lines NAME=VALUE of a file, as Compose reads them.
func ParseVariables(body []byte) map[string]string {
	set := map[string]string{}
	for line := range strings.Lines(string(body)) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		} else if before, _, comment := strings.Cut(value, " #"); comment {
			value = strings.TrimSpace(before)
		}
		set[strings.TrimSpace(key)] = value
	}
	return set
}
