package compose

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// FromReports makes entries of several sources, in order; o.As is taken from each. A source that has none of
// o.Platforms is skipped with a note; a platform that no source has is an error unless it is optional. Without sources
// the error is ErrEmpty. All sources are tried, and their errors joined in order; the kinds are those of FromReport.
func FromReports(sources []Source, o SelectOptions) ([]Entry, []string, error) {
	if len(sources) == 0 {
		return nil, nil, registry.WithHint(fmt.Errorf("composing a list: %w: no sources were given", ErrEmpty),
			"name the images of the list")
	}
	var (
		entries        []Entry
		notes          []string
		failed, passed []error
	)
	for _, s := range sources {
		o.As = s.Ref
		es, ns, err := FromReport(s.Report, o)
		if err == nil {
			if es, err = s.Overrides.apply(es, s, o.Force); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		switch {
		case errors.Is(err, ErrNoMatch):
			passed = append(passed, err)
			ns = append(ns, err.Error())
		case err != nil:
			failed = append(failed, err)
		}
		entries, notes = append(entries, es...), append(notes, ns...)
	}
	if len(failed) > 0 {
		return nil, nil, errors.Join(failed...)
	}
	if len(entries) == 0 {
		return nil, nil, errors.Join(passed...)
	}
	wanted := slices.DeleteFunc(slices.Clone(o.Platforms),
		func(p v1.Platform) bool { return containsPlatform(o.Optional, p) })
	return entries, notes, unmatched(entries, wanted)
}

// unmatched returns an error for the wanted platforms that no entry has.
func unmatched(entries []Entry, want []v1.Platform) error {
	var missing []string
	for _, w := range want {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return platform.Satisfies(e.Platform(), w) }) {
			missing = append(missing, platform.Format(w))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("composing a list: %w: no source has %s", ErrNoMatch, strings.Join(missing, ", "))
}
