package publish_test

import (
	"context"
	"fmt"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// target is a registry.Target that logs its calls and refuses a list before its children, as a strict registry does.
type target struct {
	mu    sync.Mutex
	log   []string
	have  map[v1.Hash]bool
	tags  map[string]registry.Manifest
	fault func(event string) error
	moved registry.Moved
	hang  bool // PutBlob blocks until its context is done

	conditions []string // tags written by PutTagIf
}

func newTarget() *target {
	return &target{have: map[v1.Hash]bool{}, tags: map[string]registry.Manifest{}, moved: registry.Copied}
}

func (x *target) event(ctx context.Context, kind string, name any) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := fmt.Sprintf("%s %v", kind, name)
	x.log = append(x.log, e)
	if x.fault != nil {
		if err := x.fault(e); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// kinds returns the kinds of the logged calls.
func (x *target) kinds() string {
	var all []string
	for _, e := range x.log {
		kind, _, _ := strings.Cut(e, " ")
		all = append(all, kind)
	}
	return strings.Join(all, " ")
}

func (x *target) PutBlob(ctx context.Context, d v1.Descriptor, _ registry.Source) (registry.Moved, error) {
	if err := x.event(ctx, "blob", d.Digest); err != nil {
		return 0, err
	}
	if x.hang {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.have[d.Digest] = true
	return x.moved, nil
}

func (x *target) PutManifest(ctx context.Context, m registry.Manifest) error {
	if err := x.event(ctx, "manifest", m.Digest); err != nil {
		return err
	}
	return x.store(m)
}

func (x *target) PutTag(ctx context.Context, tag string, m registry.Manifest) error {
	if err := x.event(ctx, "tag", tag); err != nil {
		return err
	}
	x.mu.Lock()
	x.tags[tag] = m
	x.mu.Unlock()
	return x.store(m)
}

func (x *target) Tag(ctx context.Context, tag string) (registry.Manifest, error) {
	if err := x.event(ctx, "head", tag); err != nil {
		return registry.Manifest{}, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if m, ok := x.tags[tag]; ok {
		return m, nil
	}
	return registry.Manifest{}, registry.ErrNotFound
}

func (x *target) PutTagIf(ctx context.Context, tag string, m registry.Manifest, was v1.Hash) error {
	x.mu.Lock()
	now := x.tags[tag].Digest
	x.conditions = append(x.conditions, tag)
	x.mu.Unlock()
	if now != was {
		return registry.ErrConflict
	}
	return x.PutTag(ctx, tag, m)
}

// store adds a manifest, and refuses a list whose children are missing.
func (x *target) store(m registry.Manifest) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m.IsList() {
		for _, h := range digestsIn(m) {
			if !x.have[h] {
				return fmt.Errorf("%s: %w: no %s", m.Digest, registry.ErrRefused, h)
			}
		}
	}
	x.have[m.Digest] = true
	return nil
}

func digestsIn(m registry.Manifest) []v1.Hash {
	var all []v1.Hash
	for part := range strings.SplitSeq(string(m.Body), `"digest":"`) {
		if h, err := v1.NewHash(strings.SplitN(part, `"`, 2)[0]); err == nil {
			all = append(all, h)
		}
	}
	return all
}
