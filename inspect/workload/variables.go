package workload

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"

	"mtool/registry"
	"mtool/registry/regular"
)

// allowedVariables are the variables that files may use. A file can put a variable into an image's name, which is
// sent to the host in that name: with image: HOST/${TOKEN} the host would get the token.
type allowedVariables struct {
	allowed  map[string]string
	withheld []string // variables of the environment that a file uses and may not
}

// allowVariables reads the variables that o allows.
func allowVariables(ctx context.Context, o FileOptions) (*allowedVariables, error) {
	v := &allowedVariables{allowed: map[string]string{}}
	for _, file := range o.EnvFile {
		body, err := regular.ReadTyped(ctx, file, regular.MaxText)
		if err != nil {
			return nil, registry.Usagef("reading variables: %w", err)
		}
		set, err := parseVariables(body)
		if err != nil {
			return nil, registry.Usagef("reading the variables of %q: %w", file, err)
		}
		maps.Copy(v.allowed, set)
	}
	for _, word := range o.Env {
		name, value, given := strings.Cut(word, "=")
		if !given {
			value, given = os.LookupEnv(name)
		}
		if !given || name == "" {
			return nil, registry.Usagef("the environment has no variable %q", word)
		}
		v.allowed[name] = value
	}
	return v, nil
}

// lookup is Options.Env.
func (v *allowedVariables) lookup(name string) (value string, set bool, err error) {
	if value, set = v.allowed[name]; set {
		return value, true, nil
	}
	if _, there := os.LookupEnv(name); !there {
		return "", false, nil
	}
	if !slices.Contains(v.withheld, name) {
		v.withheld = append(v.withheld, name)
	}
	return "", false, &WithheldError{Name: name}
}

// WithheldError says that a file uses a variable of the environment that it may not use.
type WithheldError struct{ Name string }

func (e *WithheldError) Error() string {
	return "the variable " + e.Name +
		" of the environment may not be used by files: its value would go to the host that they name"
}
