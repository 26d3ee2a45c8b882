package spec

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// CheckOptions say what results must have in common, in addition to their version.
type CheckOptions struct {
	Want     []v1.Platform // all of these must exist
	Optional []v1.Platform // except these
	Any      bool          // results of several runs and repositories may be mixed
}

// ReadResults reads the files that match pattern and checks that they belong together; see CheckResults. It returns the
// images by platform, since the order of files means nothing, and the optional platforms that were not built.
func ReadResults(pattern string, o CheckOptions) (built []Result, missing []v1.Platform, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, nil, registry.Usagef("looking for result files %q: %w", pattern, err)
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("looking for result files %q: %w: no such file", pattern, compose.ErrEmpty)
	}
	var all []Result
	var errs []error
	for _, file := range files {
		data, err := regular.Read(file, regular.MaxText)
		if err == nil {
			var some []Result
			some, err = ParseResults(file, data)
			all = append(all, some...)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	if err := CheckResults(all, o); err != nil {
		return nil, nil, fmt.Errorf("merging result files %q: %w", pattern, err)
	}
	for _, r := range all {
		if r.Missing == "" {
			built = append(built, r)
		} else {
			missing = append(missing, r.Claim) // unless a later build made it: see compose.List.WithMissing
		}
	}
	slices.SortStableFunc(built, func(a, b Result) int {
		return strings.Compare(platform.Format(a.Claim), platform.Format(b.Claim))
	})
	return built, missing, nil
}

// CheckResults checks that results belong together: it reports two results of one platform, different versions,
// repositories or runs, and platforms that no result has. All faults are reported; the errors wrap
// registry.ErrContent.
func CheckResults(results []Result, o CheckOptions) error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", registry.ErrContent, fmt.Sprintf(format, args...)))
	}
	var first *Result // of those that have a version
	for i, r := range results {
		for _, before := range results[:i] {
			if platform.Equal(before.Claim, r.Claim) && (r.Missing == "") == (before.Missing == "") {
				wrong("two results for %s: %s and %s", platform.Format(r.Claim), before.File, r.File)
			}
		}
		if first == nil && r.Missing == "" {
			first = &results[i]
		}
		if r.Missing == "" && r.Version != first.Version {
			wrong("%s is a result of version %q, %s of version %q", r.File, r.Version, first.File, first.Version)
		}
		if !o.Any && r.Repo != results[0].Repo {
			wrong("%s is a result in %q, %s in %q", r.File, r.Repo, results[0].File, results[0].Repo)
		}
		if !o.Any && r.Run != results[0].Run {
			wrong("%s is a result of run %q, %s of run %q: left over?", r.File, r.Run, results[0].File, results[0].Run)
		}
	}
	for _, p := range unmet(results, o) {
		wrong("no result for %s%s", platform.Format(p), reason(results, p))
	}
	return errors.Join(errs...)
}

// unmet returns the wanted platforms that are not optional and that no result has.
func unmet(results []Result, o CheckOptions) []v1.Platform {
	return slices.DeleteFunc(slices.Clone(o.Want), func(want v1.Platform) bool {
		return anySatisfies(results, want) ||
			slices.ContainsFunc(o.Optional, func(p v1.Platform) bool { return platform.Equal(p, want) })
	})
}

func anySatisfies(results []Result, want v1.Platform) bool {
	return slices.ContainsFunc(results,
		func(r Result) bool { return r.Missing == "" && platform.Satisfies(r.Claim, want) })
}

// reason returns why a platform was not built, if a result says so.
func reason(results []Result, p v1.Platform) string {
	for _, r := range results {
		if r.Missing != "" && platform.Equal(r.Claim, p) {
			return ": it failed: " + r.Missing
		}
	}
	return ""
}
