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

// allowedVariables are those that files may use. What a file makes of a variable, an image's name, goes to the host
// that the file names too: whoever writes image: HOST/${TOKEN} would get the token.
type allowedVariables struct {
	allowed  map[string]string
	withheld []string // those of the environment that a file asked for in vain
}

// allowVariables reads what o allows.
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

// WithheldError is a variable of the environment that a file asks for and that it may not use.
type WithheldError struct{ Name string }

func (e *WithheldError) Error() string {
	return "the variable " + e.Name +
		" of the environment may not be used by files: its value would go to the host that they name"
}
