package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
)

// target is a name that gets content, and what that name has before; a zero manifest is a tag that is not there.
type target struct {
	ref    registry.Ref
	before func() (registry.Manifest, error) // waits for the answer; may be asked again
	fixed  bool                              // written only where nothing has the tag yet
}

// announce asks for the states of the target tags while the sources are read, and makes the tokens ones for writing too.
// The caller must cancel.
func (e *Env) announce(ctx context.Context, refs []registry.Ref) ([]target, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	targets := make([]target, len(refs))
	for i, ref := range refs {
		if isRegistry(ref) {
			ref = ref.At(registry.TransportRegistry)
			e.Client.Repository(ref, remote.PullPush)
		}
		targets[i] = target{ref: ref}
	}
	for i := range targets {
		targets[i].before = e.askBefore(ctx, targets[i].ref)
	}
	return targets, cancel
}

// askBefore begins to ask at once.
func (e *Env) askBefore(ctx context.Context, ref registry.Ref) func() (registry.Manifest, error) {
	if !isRegistry(ref) || ref.Tag == "" {
		return nothing
	}
	ask := sync.OnceValues(func() (registry.Manifest, error) {
		m, err := e.Client.Repository(ref, remote.PullPush).Tag(ctx, ref.Tag)
		if errors.Is(err, registry.ErrNotFound) {
			err = nil
		}
		return m, err
	})
	go ask() //nolint:errcheck // whoever waits for it gets the error
	return ask
}

// state is what the target was. What is damaged there may only be written over by force: no guard can look into it.
func (t target) state(force bool) (registry.Manifest, error) {
	before, err := t.before()
	if force && errors.Is(err, registry.ErrContent) {
		err = nil
	}
	return before, err
}

func nothing() (registry.Manifest, error) { return registry.Manifest{}, nil }

func isRegistry(ref registry.Ref) bool {
	return ref.Transport == registry.TransportRegistry || ref.Transport == registry.TransportDraft
}

// present are the digests that the targets called name have now, for recognising a list among its own sources.
func present(targets []target, name registry.Ref) ([]v1.Hash, error) {
	var found []v1.Hash
	for _, t := range targets {
		if t.ref.Name() != name.Name() {
			continue
		}
		before, err := t.before()
		if err != nil {
			return nil, err
		}
		if before.Digest != (v1.Hash{}) {
			found = append(found, before.Digest)
		}
	}
	return found, nil
}

// guardDropped stops a push that would take platforms from a published list, unless what is required is there.
func (e *Env) guardDropped(list compose.List, root registry.Manifest, t target, o publishOptions) error {
	old, err := t.state(o.Force)
	if err != nil || !old.IsList() || old.Digest == root.Digest {
		return err
	}
	before, err := rowsOf(t.ref, old)
	if err != nil && o.Force {
		e.note("warning, kept by --force: %v", err)
		return nil
	}
	if err != nil {
		return registry.WithHint(err, "push it all the same with --force")
	}
	dropped := compose.Dropped(before, list)
	e.sayAll(dropped)
	if len(dropped) == 0 || o.Force || o.MayDrop || len(o.Require) > 0 {
		return nil
	}
	return droppedError(t.ref, dropped)
}

func droppedError(ref registry.Ref, dropped []string) error {
	return registry.WithHint(
		severalLines{append([]string{fmt.Sprintf("pushing %q: %v: the published list has platforms that this one leaves out", ref, registry.ErrConflict)}, dropped...), registry.ErrConflict},
		"say what the list must serve with --require, or push it all the same with --force",
	)
}

// severalLines is an error that is told in lines of its own.
type severalLines struct {
	lines []string
	kind  error
}

func (e severalLines) Error() string   { return strings.Join(e.lines, "\n") }
func (e severalLines) Lines() []string { return e.lines }
func (e severalLines) Unwrap() error   { return e.kind }

// eachTarget runs f for all targets at once.
func eachTarget(ctx context.Context, targets []target, f func(context.Context, target) error) []error {
	errs := make([]error, len(targets))
	var g errgroup.Group // an error of one target does not end the others
	for i, t := range targets {
		g.Go(func() error {
			errs[i] = f(ctx, t)
			return nil
		})
	}
	_ = g.Wait()
	return errs
}

// existing is what the tags of one repository are, as far as it was asked. A tag whose state could not be read is left out, and
// Publish asks for it itself.
func existing(targets []target, repository registry.Ref) map[string]v1.Descriptor {
	found := map[string]v1.Descriptor{}
	for _, t := range targets {
		if isRegistry(t.ref) && t.ref.Tag != "" && samePlace(t.ref, repository) {
			if before, err := t.before(); err == nil {
				found[t.ref.Tag] = before.Descriptor()
			}
		}
	}
	return found
}

func fixed(targets []target, repository registry.Ref, tag string) bool {
	for _, t := range targets {
		if t.fixed && t.ref.Tag == tag && samePlace(t.ref, repository) {
			return true
		}
	}
	return false
}

// withoutTags are the repositories of the targets, each once.
func withoutTags(targets []target) []target {
	var out []target
	seen := map[string]bool{}
	for _, t := range targets {
		if isRegistry(t.ref) {
			t.ref.Tag = ""
			t.before = nothing
			if seen[t.ref.Repository()] {
				continue
			}
			seen[t.ref.Repository()] = true
		}
		out = append(out, t)
	}
	return out
}

func tagNames(tags []compose.Tag) []string {
	var names []string
	for _, t := range tags {
		names = append(names, t.Name)
	}
	return names
}

// samePlace reports whether two names lie in one repository or file.
func samePlace(a, b registry.Ref) bool {
	return a.Transport == b.Transport && a.Host == b.Host && a.Repo == b.Repo && a.Path == b.Path
}

// rowsOf is a published list by its rows alone, without reading what they name.
func rowsOf(name registry.Ref, m registry.Manifest) (compose.List, error) {
	var body struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return compose.List{}, fmt.Errorf("reading the list at %q: %w: %w", name, registry.ErrContent, err)
	}
	list := compose.List{Name: name}
	for _, row := range body.Manifests {
		entry, err := compose.NewEntry(row)
		if err != nil {
			return list, err
		}
		if _, attestation := inspect.AttestationOf(entry.Descriptor); !attestation {
			list.Entries = append(list.Entries, entry)
		}
	}
	return list, nil
}
