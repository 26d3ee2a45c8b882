package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/archive"
)

// publishOptions say how far a push may go.
type publishOptions struct {
	Require []v1.Platform // what the list must serve; when it does, other platforms may be dropped
	Force   bool
	DryRun  bool
	Confirm bool
}

// targetState is what a target tag is before the push; a zero Head is a tag that is not there.
type targetState struct{ Head v1.Descriptor }

// announce asks for the state of the target tag while the sources are read, and makes its token one for writing too.
func (e *Env) announce(ctx context.Context, target registry.Ref, push bool) (state func() (targetState, error), cancel func()) {
	if !push || !isRegistry(target) {
		return func() (targetState, error) { return targetState{}, nil }, func() {}
	}
	ctx, cancel = context.WithCancel(ctx)
	repository := e.Client.Repository(target.At(registry.TransportRegistry), registry.PullPush)
	type answer struct {
		targetState
		err error
	}
	got := make(chan answer, 1)
	go func() {
		head, err := repository.Head(ctx, target.Tag)
		if errors.Is(err, registry.ErrNotFound) {
			err = nil
		}
		got <- answer{targetState{head}, err}
	}()
	return func() (targetState, error) { a := <-got; return a.targetState, a.err }, cancel
}

func isRegistry(ref registry.Ref) bool {
	return ref.Transport == registry.TransportRegistry || ref.Transport == registry.TransportDraft
}

// present is the digest that the target tag has now, for recognising a list among its own sources.
func present(state targetState) []v1.Hash {
	if state.Head.Digest == (v1.Hash{}) {
		return nil
	}
	return []v1.Hash{state.Head.Digest}
}

// publish pushes a resolved list to one tag of a registry.
func (e *Env) publish(ctx context.Context, list compose.List, target registry.Ref, state targetState, o publishOptions) (Made, error) {
	target = target.At(registry.TransportRegistry)
	plan, err := compose.NewPlan(list, []registry.Ref{target})
	if err != nil {
		return Made{}, err
	}
	if err := e.guardDropped(ctx, list, plan.Root, target, state, o); err != nil {
		return Made{}, err
	}
	return e.carryOut(ctx, plan, target, state, o)
}

// publishReport copies what was read, as it is, to any target.
func (e *Env) publishReport(ctx context.Context, report inspect.Report, target registry.Ref, state targetState, o publishOptions) (Made, error) {
	plan, err := compose.PlanOf(report, []registry.Ref{target})
	if err != nil {
		return Made{}, err
	}
	return e.carryOut(ctx, plan, target, state, o)
}

// carryOut executes a plan of one target.
func (e *Env) carryOut(ctx context.Context, plan compose.Plan, target registry.Ref, state targetState, o publishOptions) (Made, error) {
	e.sayAll(plan.Notes)
	upload := plan.Uploads[0]
	made := madeAt(target, plan.Root.Digest)
	if o.DryRun {
		e.sayPlan(upload, target)
		return made, nil
	}
	to, finish, err := e.target(target)
	if err != nil {
		return Made{}, err
	}
	options := compose.PublishOptions{Note: e.Transport.Note, Confirm: o.Confirm, Force: o.Force && !plan.Root.IsList()}
	if isRegistry(target) {
		options.Existing = map[string]v1.Descriptor{target.Tag: state.Head}
	}
	result, err := upload.Publish(ctx, to, options)
	if err = finish(err); err != nil {
		return Made{}, err
	}
	e.sayResult(result, target)
	return made, nil
}

// target opens a target for writing; finish closes it, or takes back what it can after an error.
func (e *Env) target(ref registry.Ref) (to registry.Target, finish func(error) error, err error) {
	switch {
	case ref.IsFile():
		w, err := archive.Create(ref)
		if err != nil {
			return nil, nil, err
		}
		return w, func(err error) error {
			if err != nil {
				return errors.Join(err, w.Abort())
			}
			return w.Close()
		}, nil
	case ref.Transport == registry.TransportStore:
		w := e.Store.Writer(ref)
		return w, func(err error) error { return errors.Join(err, w.Close()) }, nil
	}
	return e.Client.Repository(ref, registry.PullPush), func(err error) error { return err }, nil
}

func (e *Env) sayResult(r compose.Result, target registry.Ref) {
	if !r.Changed {
		e.note("unchanged %s", target)
		return
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{r.Present, "present"}, {r.Mounted, "mounted"}, {r.Copied, fmt.Sprintf("copied (%s)", Bytes(r.Bytes))}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"none to move"}
	}
	e.note("wrote %s: blobs %s", target, strings.Join(parts, ", "))
}

func (e *Env) sayPlan(u compose.Upload, target registry.Ref) {
	t := u.Totals()
	e.note("dry run, nothing written: %s would be %s", target, u.Root.Digest)
	e.note("at most %d blobs mounted, %d copied (%s), %d manifests, %d tags", t.Mounts, t.Copies, Bytes(t.Bytes), t.Children, t.Tags)
}

// guardDropped stops a push that would take platforms from a published list, unless what is required is there.
func (e *Env) guardDropped(ctx context.Context, list compose.List, root registry.Manifest, target registry.Ref, state targetState, o publishOptions) error {
	if !state.Head.MediaType.IsIndex() || state.Head.Digest == root.Digest {
		return nil
	}
	old, err := e.Client.Repository(target, registry.PullPush).Resolve(ctx, target.WithDigest(state.Head.Digest))
	if err != nil {
		return err
	}
	before, err := rowsOf(target, old)
	if err != nil {
		e.note("warning: %v", err)
		return nil
	}
	dropped := compose.Dropped(before, list)
	e.sayAll(dropped)
	if len(dropped) == 0 || o.Force || len(o.Require) > 0 {
		return nil
	}
	return hinted{
		fmt.Errorf("pushing %q: %w: the published list has platforms that this one leaves out\n%s", target, registry.ErrConflict, strings.Join(dropped, "\n")),
		"say what the list must serve with --require, or push it all the same with --force",
	}
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

// Bytes is a size for people, in powers of 1000.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1000, 0
	for ; f >= 1000; unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTPE"[unit])
}
