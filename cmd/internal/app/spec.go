package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mtool/compose"
	"mtool/compose/spec"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// SpecOptions say where a list's sources are written down, one of the three.
type SpecOptions struct {
	File     string // a spec file, "-" reads In
	In       io.Reader
	Template string // names with ARCH, OS and VARIANT, for each of the platforms
	Results  string // a pattern of result files
	Any      bool   // result files of any run and repository, and as many as there are
}

// Describe fills o with what the files or the template say. Nothing is read but them. Errors wrap registry.ErrUsage, or
// registry.ErrContent for result files that don't belong together.
func (e notes) Describe(ctx context.Context, o *CreateOptions, s SpecOptions) error {
	switch {
	case s.File != "":
		return e.fromSpec(ctx, o, s)
	case s.Template != "":
		return fromTemplate(o, s.Template)
	case s.Results != "":
		return fromResults(o, s)
	}
	return nil
}

func (e notes) fromSpec(ctx context.Context, o *CreateOptions, s SpecOptions) error {
	data, err := readSpec(ctx, s)
	if err != nil {
		return err
	}
	described, err := spec.Parse(s.File, data)
	if err != nil {
		return err
	}
	if err := o.nameFrom(s.File, described); err != nil {
		return err
	}
	if err := o.settingsFrom(described); err != nil {
		return registry.Usagef("reading spec %s: %w", s.File, err)
	}
	for i, m := range described.Manifests {
		ref, err := registry.ParseRef(m.Image)
		if err != nil {
			return registry.Usagef("reading spec %s: manifests[%d]: %w", s.File, i, err)
		}
		if len(m.Platform.Features) > 0 {
			e.note("note: features of %s are left out: nothing reads them", m.Image)
		}
		o.Sources = append(o.Sources, ref)
		o.Overrides = append(o.Overrides, compose.Overrides{Platform: m.Platform.V1(), Annotations: m.Annotations})
	}
	if more := len(described.Tags) + len(described.Targets); more > 0 && !o.Push {
		e.note("note: the tags and targets of %s are written with --push only", s.File)
	}
	return nil
}

func readSpec(ctx context.Context, s SpecOptions) (data []byte, err error) {
	if s.File == "-" {
		data, err = regular.ReadAll(ctx, s.In, regular.MaxText)
	} else {
		data, err = regular.ReadTyped(ctx, s.File, regular.MaxText)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("reading spec %q: %w: no such file", s.File, registry.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("reading the spec: %w", err)
	}
	return data, nil
}

// nameFrom takes the list's name from the file unless the command line has one.
func (o *CreateOptions) nameFrom(file string, s spec.Spec) (err error) {
	if o.List != (registry.Ref{}) {
		return nil
	}
	if s.Image == "" {
		return registry.WithHint(
			registry.Usagef("reading spec %s: it does not name the list", file),
			"add image: NAME, or mtool create LIST --spec "+file,
		)
	}
	if o.List, err = registry.ParseRef(s.Image); err != nil {
		return registry.Usagef("reading spec %s: image: %w", file, err)
	}
	return nil
}

// settingsFrom takes over what the command line does not say.
func (o *CreateOptions) settingsFrom(s spec.Spec) error {
	if o.Type == "" || o.Type == "auto" {
		if _, err := compose.ParseType(s.Type); err != nil {
			return err
		}
		o.Type = s.Type
	}
	require, err := platform.ParseList(s.Require)
	if err != nil {
		return err
	}
	o.Require = append(o.Require, require...)
	annotations := map[string]string{}
	for _, from := range []map[string]string{s.Annotations, o.Annotations} {
		maps.Copy(annotations, from)
	}
	o.Annotations = annotations
	if !o.Push {
		return nil
	}
	for _, tag := range s.Tags {
		o.To = append(o.To, o.List.WithTag(tag).At(registry.TransportRegistry))
	}
	for _, name := range s.Targets {
		ref, err := registry.ParseRef(name)
		if err != nil {
			return err
		}
		o.To = append(o.To, ref)
	}
	return nil
}

// fromTemplate makes a source of each platform.
func fromTemplate(o *CreateOptions, template string) error {
	if len(o.Platforms) == 0 {
		return registry.WithHint(
			registry.Usagef("expanding template %q: for which platforms?", template),
			"add --platform linux/amd64,linux/arm64",
		)
	}
	for _, p := range o.Platforms {
		name := compose.Expand(template, p, o.List.Tag)
		ref, err := registry.ParseRef(name)
		if err != nil {
			return registry.Usagef("expanding template %q: %w", template, err)
		}
		if slices.Contains(o.Sources, ref) {
			return registry.Usagef("expanding template %q: it is %q for two platforms", template, name)
		}
		o.Sources = append(o.Sources, ref)
		o.Overrides = append(o.Overrides, compose.Overrides{Platform: p})
	}
	o.Platforms = nil // each source has its own
	return nil
}

// fromResults makes a source of each result. Those of --platform and --require must all be there.
func fromResults(o *CreateOptions, s SpecOptions) error {
	pattern := s.Results
	files, err := filepath.Glob(pattern)
	if err != nil {
		return registry.Usagef("looking for result files %q: %w", pattern, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("looking for result files %q: %w: none there", pattern, compose.ErrEmpty)
	}
	var results []spec.Result
	var errs []error
	for _, file := range files {
		data, err := regular.Read(file, regular.MaxText)
		if err == nil {
			var some []spec.Result
			some, err = spec.ParseResults(file, data)
			results = append(results, some...)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := spec.CheckResults(results,
		spec.CheckOptions{Want: slices.Concat(o.Platforms, o.Require), Any: s.Any}); err != nil {
		return fmt.Errorf("merging result files %q: %w", pattern, err)
	}
	return o.addResults(results)
}

func (o *CreateOptions) addResults(results []spec.Result) error {
	slices.SortStableFunc(results, func(a, b spec.Result) int { // the order of files says nothing
		return strings.Compare(platform.Format(a.Claim), platform.Format(b.Claim))
	})
	for _, r := range results {
		ref, err := registry.ParseRef(r.Name())
		if err != nil {
			return fmt.Errorf("reading result file %q: %w: %w", r.File, registry.ErrContent, err)
		}
		o.Sources = append(o.Sources, ref)
		o.Overrides = append(o.Overrides, compose.Overrides{Platform: r.Claim})
	}
	return nil
}
