package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect/platform"
	"mtool/registry"
)

// badInput marks an error about something the user typed. A file that is not there is not a mistake in the command line.
func badInput(err error) error {
	if err == nil || errors.Is(err, registry.ErrNotFound) {
		return err
	}
	return inputError{err}
}

type inputError struct{ error }

func (e inputError) Unwrap() error        { return e.error }
func (e inputError) Is(target error) bool { return target == registry.ErrUsage }

func parseRefs(names []string) ([]registry.Ref, error) {
	refs := make([]registry.Ref, 0, len(names))
	var errs []error
	for _, name := range names {
		ref, err := registry.ParseRef(name)
		refs, errs = append(refs, ref), append(errs, err)
	}
	return refs, badInput(errors.Join(errs...))
}

// parseListName is the name of a list that a command makes or edits: no digest, no file.
func parseListName(name string) (registry.Ref, error) {
	ref, err := registry.ParseRef(name)
	switch {
	case err != nil:
		return ref, badInput(err)
	case ref.Digest != v1.Hash{}:
		return ref, usagef("name the list by a tag, for example "+ref.Familiar()+":v1",
			"%q is a digest: a list that is still to be made can't have one", name)
	case ref.IsFile():
		return ref, usagef("push the list to "+name+" afterwards: mtool push LIST "+name,
			"%q is a file, not the name of a list", name)
	}
	return ref, nil
}

// parsePlatform is zero for no platform.
func parsePlatform(value string) (v1.Platform, error) {
	if value == "" {
		return v1.Platform{}, nil
	}
	p, err := platform.Parse(value)
	return p, badInput(err)
}

func parsePlatforms(values []string) ([]v1.Platform, error) {
	ps, err := platform.ParseList(values)
	return ps, badInput(err)
}

// parsePairs splits KEY=VALUE at the first '='; values may hold '=' and ','.
func parsePairs(flag string, values []string) (map[string]string, error) {
	pairs := make(map[string]string, len(values))
	for _, v := range values {
		key, value, ok := strings.Cut(v, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return nil, usagef("", "%s %q is not KEY=VALUE", flag, v)
		}
		pairs[key] = value
	}
	return pairs, nil
}

// parseTargeted reads annotations that may say where they go.
func parseTargeted(values []string) ([]compose.Targeted, error) {
	all := make([]compose.Targeted, 0, len(values))
	for _, v := range values {
		t, err := compose.ParseTargeted(v)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// parseSubject is a reference, or none.
func parseSubject(name string) (*registry.Ref, error) {
	if name == "" {
		return &registry.Ref{}, nil
	}
	ref, err := registry.ParseRef(name)
	return &ref, badInput(err)
}

// oneOf refuses a flag's value that is not among the words.
func oneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return usagef("", "%s", fmt.Sprintf("%s %q is not one of %s", flag, value, strings.Join(words, ", ")))
}

type v1Platform = v1.Platform

func containsPlatform(ps []v1.Platform, p v1.Platform) bool {
	return slices.ContainsFunc(ps, func(q v1.Platform) bool { return platform.Equal(p, q) })
}

// parseBuildArgs is parsePairs, where a KEY alone takes its value from the environment and is left out when that has
// none.
func parseBuildArgs(values []string) (map[string]string, error) {
	full := make([]string, 0, len(values))
	for _, v := range values {
		if !strings.Contains(v, "=") {
			env, ok := os.LookupEnv(v)
			if !ok {
				continue
			}
			v += "=" + env
		}
		full = append(full, v)
	}
	return parsePairs("--build-arg", full)
}
