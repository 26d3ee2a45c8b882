package bake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/cmd/internal/app"
	"mtool/compose/publish"
	"mtool/registry"
)

// Target is one build.
type Target struct {
	Name    string
	Options app.BuildOptions
	Inline  string            // the Dockerfile's text, if Options.Dockerfile is "-"
	Links   map[string]string // its contexts that are images of other targets, by the context's name
}

// options returns the options with these further contexts. They can be used once.
func (t Target) options(contexts map[string]string) app.BuildOptions {
	o := t.Options
	all := maps.Clone(contexts)
	maps.Copy(all, o.Contexts)
	if o.Contexts = all; t.Inline != "" {
		o.In = strings.NewReader(t.Inline)
	}
	return o
}

// State is how a target ended: done, failed, or skipped since one that it needs failed.
type State string

// The states of a target.
const (
	Done    State = "done"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Result is what became of a target.
type Result struct {
	Name  string
	State State
	Built app.Built // with what was made before it failed
	Err   error
}

// Run builds the targets in their order: each comes after those that it links to. The error joins those of all
// targets, and wraps publish.ErrPartial if some are done.
func Run(ctx context.Context, env *app.Env, targets []Target) (results []Result, err error) {
	notes := env.Transport.BuildNote
	env.Transport.BuildNote = once(notes)
	defer func() { env.Transport.BuildNote = notes }()
	b := baker{env: env, names: map[string]registry.Ref{}, state: map[string]State{}}
	b.nameLinked(targets)
	if err := b.preflight(ctx, targets); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	for _, t := range targets {
		result := b.build(ctx, t)
		b.state[t.Name] = result.State
		results = append(results, result)
		if ctx.Err() != nil {
			break
		}
	}
	return results, failures(results)
}

// once passes on each note once: a look ahead and the build give the same.
func once(note func(advice.Note)) func(advice.Note) {
	if note == nil {
		return nil
	}
	said := map[string]bool{}
	return func(n advice.Note) {
		if !said[n.Text] {
			said[n.Text] = true
			note(n)
		}
	}
}

// failures joins the errors of the targets.
func failures(results []Result) error {
	var errs []error
	done := 0
	for _, r := range results {
		switch r.State {
		case Done:
			done++
		default:
			errs = append(errs, fmt.Errorf("target %s: %w", r.Name, r.Err))
		}
	}
	if len(errs) > 0 && done > 0 {
		errs = append(errs, fmt.Errorf("%w: %d of %d", publish.ErrPartial, done, len(results)))
	}
	return errors.Join(errs...)
}

// baker is one run.
type baker struct {
	env       *app.Env
	names     map[string]registry.Ref // of the images that other targets need
	made      []registry.Ref          // those of them that are only for that
	state     map[string]State
	platforms []v1.Platform // of all targets
}

// nameLinked gives every target that others need a name for its image.
func (b *baker) nameLinked(targets []Target) {
	needed := map[string]bool{}
	for _, t := range targets {
		b.platforms = append(b.platforms, t.Options.Platforms...)
		for _, name := range t.Links {
			needed[name] = true
		}
	}
	for _, t := range targets {
		switch {
		case !needed[t.Name]:
		case len(t.Options.Names) > 0:
			b.names[t.Name] = t.Options.Names[0]
		default:
			ref, err := registry.ParseRef("mtool-bake.invalid/target:" + t.Name + "-" + strconv.Itoa(os.Getpid()))
			if err == nil {
				b.names[t.Name] = ref
				b.made = append(b.made, ref)
			}
		}
	}
}

// preflight looks ahead at every target. An empty folder stands for the images of other targets.
func (b *baker) preflight(ctx context.Context, targets []Target) error {
	empty, err := os.MkdirTemp("", "mtool-bake-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty) //nolint:errcheck // it is empty
	var errs []error
	for _, t := range targets {
		stands := map[string]string{}
		for name := range t.Links {
			stands[name] = empty
		}
		if _, err := b.env.Preflight(ctx, t.options(stands)); err != nil {
			errs = append(errs, fmt.Errorf("target %s: %w", t.Name, err))
		}
	}
	return errors.Join(errs...)
}

// build builds one target.
func (b *baker) build(ctx context.Context, t Target) Result {
	r := Result{Name: t.Name, State: Failed}
	linked := map[string]string{}
	for _, context := range slices.Sorted(maps.Keys(t.Links)) {
		needed := t.Links[context]
		if b.state[needed] != Done {
			r.State, r.Err = Skipped, fmt.Errorf("not built: it needs %s, which was not built", needed)
			return r
		}
		linked[context] = "store:" + b.names[needed].Name()
	}
	o := t.options(linked)
	if name, ok := b.names[t.Name]; ok && len(o.Names) == 0 {
		o.Names = []registry.Ref{name}
	}
	if r.Built, r.Err = b.env.Build(ctx, o); r.Err == nil {
		r.State = Done
	}
	return r
}

// close removes the images that only other targets needed.
func (b *baker) close(ctx context.Context) error {
	var errs []error
	for _, name := range b.made {
		errs = append(errs, b.forget(ctx, name))
	}
	return errors.Join(errs...)
}

func (b *baker) forget(ctx context.Context, name registry.Ref) error {
	var errs []error
	remove := func(err error) {
		if !errors.Is(err, registry.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	remove(b.env.Drafts.Remove(ctx, name.At(registry.TransportDraft)))
	for _, p := range append([]v1.Platform{{}}, b.platforms...) {
		remove(b.env.Store.Remove(ctx, app.ImageName(name, p, p.Architecture != "")))
	}
	return errors.Join(errs...)
}
