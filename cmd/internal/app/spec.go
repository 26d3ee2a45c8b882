package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"mtool/compose"
	"mtool/compose/spec"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// SpecOptions are where the sources of a list are described: in File, Template or Results.
type SpecOptions struct {
	File     string // a spec file; "-" reads In
	In       io.Reader
	Template string // names with ARCH, OS and VARIANT, for each of the platforms
	Results  string // a pattern of result files
	Any      bool   // Results may be of different runs and repositories
}

// Describe adds to o what the files or the template say. It reads nothing else. If result files don't belong together,
// the error wraps registry.ErrContent.
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
			e.note("note: features of %s are left out: no runtime reads them", m.Image)
		}
		o.Sources = append(o.Sources, ref)
		o.Overrides = append(o.Overrides, compose.Overrides{Platform: m.Platform.V1(), Annotations: m.Annotations})
	}
	if more := len(described.Tags) + len(described.Targets); more > 0 && !o.Push {
		e.note("note: the tags and targets of %s need --push", s.File)
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
		return nil, registry.WithKind(fmt.Errorf("reading spec %q: no such file", s.File), registry.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("reading the spec: %w", err)
	}
	return data, nil
}

// nameFrom takes the name of the list from the file, unless o has one.
func (o *CreateOptions) nameFrom(file string, s spec.Spec) (err error) {
	if o.List != (registry.Ref{}) {
		return nil
	}
	if s.Image == "" {
		return registry.WithHint(
			registry.Usagef("reading spec %s: it has no name for the list", file),
			"add image: NAME, or mtool create LIST --spec "+file,
		)
	}
	if o.List, err = registry.ParseRef(s.Image); err != nil {
		return registry.Usagef("reading spec %s: image: %w", file, err)
	}
	return nil
}

// settingsFrom takes over settings that o does not have.
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

// fromTemplate adds a source for each platform.
func fromTemplate(o *CreateOptions, template string) error {
	if len(o.Platforms) == 0 {
		return registry.WithHint(
			registry.Usagef("expanding template %q: no platforms given", template),
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
			return registry.Usagef("expanding template %q: two platforms give %q", template, name)
		}
		o.Sources = append(o.Sources, ref)
		o.Overrides = append(o.Overrides, compose.Overrides{Platform: p})
	}
	o.Platforms = nil // each source has one
	return nil
}

// fromResults adds a source for each result. There must be one for each of Platforms and Require.
func fromResults(o *CreateOptions, s SpecOptions) error {
	results, missing, err := spec.ReadResults(s.Results, spec.CheckOptions{
		Want: slices.Concat(o.Platforms, o.Require), Optional: o.Optional, Any: s.Any,
	})
	if err != nil {
		return err
	}
	o.Optional = append(o.Optional, missing...)
	return o.addResults(results)
}

func (o *CreateOptions) addResults(results []spec.Result) error {
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
