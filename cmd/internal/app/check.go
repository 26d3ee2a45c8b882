package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
	"mtool/registry"
)

// check verifies the claims of a list that has been read. A list of nothing but what describes images is an error.
func (e notes) check(list compose.List, o inspect.CheckOptions, force bool) error {
	report, err := list.Report()
	if err != nil {
		return err
	}
	if !force && !report.HasImage() && !report.HasArtifact() {
		return registry.WithHint(
			fmt.Errorf("checking %q: %w: none of its %d entries is an image", list.Name, inspect.ErrMismatch, len(list.Entries)),
			"to publish it as it is, add --force",
		)
	}
	return e.checkReport(report, o, force)
}

// checkReport verifies the claims of what has been read.
func (e notes) checkReport(report inspect.Report, o inspect.CheckOptions, force bool) error {
	o.KeepSpelling = true
	findings := inspect.Check(report, o)
	for _, f := range findings {
		if f.State == inspect.Note {
			e.note("note: %s", f.Message)
		}
	}
	e.sayLabels(report)
	err := inspect.Failed(findings)
	if err != nil && force && len(o.Require) == 0 {
		e.note("warning, taken all the same: %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking %q: %w", report.Ref, err)
	}
	return nil
}

// requireNames checks that the list serves platforms by what its rows claim, if not all content was read.
func (e notes) requireNames(l compose.List, require []v1.Platform) error {
	have := l.Platforms()
	for _, want := range require {
		s := platform.Serve(have, want, false)
		if s.Fallback {
			e.note("note: %s has no entry of its own: its nodes take %s", platform.Format(want),
				platform.Format(have[s.Rows[0]]))
		}
		if len(s.Rows) == 0 {
			return fmt.Errorf("list %q: %w: missing %s; has %s", l.Name, inspect.ErrMismatch, platform.Format(want),
				strings.Join(platform.FormatAll(have), ", "))
		}
	}
	return nil
}

// prove checks the binaries of what will be published, if o says so. The claims have been checked before.
func (e *Env) prove(ctx context.Context, content func() (inspect.Report, error), o DeepOptions, force bool) error {
	if !o.Deep {
		return nil
	}
	report, err := content()
	if err != nil {
		return err
	}
	claims := inspect.Check(report, inspect.CheckOptions{KeepSpelling: true})
	findings, cost, err := e.deepen(ctx, report, claims, o, false)
	if err != nil {
		return err
	}
	summary := deep.Summary(findings[len(claims):])
	e.sayNotes(summary)
	err = inspect.Failed(deep.SumsLast(slices.Concat(findings[:len(claims)], summary)))
	switch {
	case err != nil && force:
		e.note("warning, kept by --force: %v", err)
		return nil
	case err == nil:
		e.note("binaries checked in %s", CostWords(cost))
	}
	return err
}
