package app

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/regular"
)

// variables are those that workload files may use. What a file makes of a variable, an image's name, goes to the host that
// the file names too: whoever writes image: HOST/${TOKEN} would get the token.
type variables struct {
	allowed  map[string]string
	withheld []string // those of the environment that a file asked for in vain
}

// allowVariables reads what o allows.
func allowVariables(ctx context.Context, o WorkloadOptions) (*variables, error) {
	v := &variables{allowed: map[string]string{}}
	for _, file := range o.EnvFile {
		body, err := regular.ReadTyped(ctx, file, regular.MaxText)
		if err != nil {
			return nil, registry.Usagef("reading the variables of --env-file: %w", err)
		}
		set, err := workload.ParseVariables(body)
		if err != nil {
			return nil, registry.Usagef("reading the variables of --env-file %s: %w", file, err)
		}
		maps.Copy(v.allowed, set)
	}
	for _, word := range o.Env {
		name, value, given := strings.Cut(word, "=")
		if !given {
			value, given = os.LookupEnv(name)
		}
		if !given || name == "" {
			return nil, registry.Usagef("--env %s: the environment has no such variable", word)
		}
		v.allowed[name] = value
	}
	return v, nil
}

// lookup is workload.Options.Env.
func (v *variables) lookup(name string) (value string, set bool, err error) {
	if value, set = v.allowed[name]; set {
		return value, true, nil
	}
	if _, there := os.LookupEnv(name); !there {
		return "", false, nil
	}
	if !slices.Contains(v.withheld, name) {
		v.withheld = append(v.withheld, name)
	}
	return "", false, registry.WithHint(
		fmt.Errorf("the variable %s of the environment may not be used by files: its value would go to the host that they name", name),
		fmt.Sprintf("mtool inspect --env %s -f FILE, or --env-file FILE with the variables", name),
	)
}
