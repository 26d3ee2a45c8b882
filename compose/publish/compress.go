package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/repack"
	"mtool/registry/store"
)

// Compression is how the layers of images are packed before they are published. The zero value leaves them alone.
type Compression struct {
	// Format is that of all layers; zero leaves them alone. A layer that has it already stays, unless a level is wanted
	// or Force is set.
	Format repack.Format
	Force  bool
	// Copies are formats in which each image of a list gets a second copy; see compose.List.AddCopies.
	Copies []repack.Format
	// Convert makes all images, and the list, OCI or Docker ones once their layers are packed.
	Convert compose.Type
	// KeepAttestations refuses to change the digest of an image with attestations.
	KeepAttestations bool
}

// IsZero reports whether layers stay as they are.
func (c Compression) IsZero() bool { return c.Format == (repack.Format{}) && len(c.Copies) == 0 }

// Check refuses what can't be combined, also with a list of that type. The error wraps registry.ErrUsage.
func (c Compression) Check(list compose.Type) error {
	for _, f := range c.Copies {
		switch {
		case f.Name == repack.EStargz:
			return registry.WithHint(
				registry.Usagef("adding copies in %s: no client could tell them from the images, which have gzip too", f.Name),
				"clients of eStargz can read the images themselves in that format, and so can all others")
		case c.Format.Name != "" && f.IsZstd() == c.Format.IsZstd():
			return registry.Usagef("adding copies in %s: the images themselves are to have %s", f.Name, c.Format.Name)
		}
	}
	if c.Format == (repack.Format{}) && c.Force {
		return registry.Usagef("compressing again: in which format?")
	}
	docker := compose.TypeDocker == cmp.Or(c.Convert, list)
	if docker && (c.Format.Name != "" && c.Format.NeedsOCI() || len(c.Copies) > 0) {
		return fmt.Errorf("%w layers in another compression than gzip, or with a table of contents", compose.ErrDockerLayers)
	}
	return nil
}

// compress packs the layers of what plan publishes, and plans it again. Nothing is uploaded yet, so that a layer that
// can't be read leaves no target half written.
func (p *Push) compress(ctx context.Context, plan compose.Plan) (compose.Plan, error) {
	list, err := plan.List()
	if err != nil {
		return plan, err
	}
	if len(p.Compression.Copies) > 0 && !plan.Root.IsList() {
		return plan, registry.WithHint(
			registry.Usagef("adding a copy of %q in %s: it is a single image, and only a list can have both", list.Name,
				p.Compression.Copies[0]), "make a list of it with create")
	}
	c := p.Compression
	if err := c.Check(list.Type); err != nil {
		return plan, fmt.Errorf("compressing %q: %w", list.Name, err)
	}
	if p.stage == nil {
		stage, err := p.newStage(ctx)
		if err != nil {
			return plan, err
		}
		p.stage = stage
	}
	if c.Format != (repack.Format{}) {
		wanted := func(d v1.Descriptor) bool { return c.Force || c.Format.Level != 0 || !c.Format.Holds(d) }
		if list, err = p.change(ctx, list, c.Format, wanted, compose.List.Repack); err != nil {
			return plan, err
		}
	}
	for _, f := range c.Copies {
		wanted := func(d v1.Descriptor) bool { return !f.Holds(d) }
		if list, err = p.change(ctx, list, f, wanted, compose.List.AddCopies); err != nil {
			return plan, err
		}
	}
	if c.Convert != compose.TypeAuto {
		var changes []compose.Change
		if list, changes, err = list.Convert(c.Convert, c.KeepAttestations); err != nil {
			return plan, err
		}
		list.Type = c.Convert
		p.changes(changes)
	}
	return plan.Of(list)
}

func (p *Push) changes(all []compose.Change) {
	for _, c := range all {
		p.note(c.String())
	}
}

// change packs the wanted layers in a format and changes the list by them.
func (p *Push) change(
	ctx context.Context, list compose.List, f repack.Format, wanted func(v1.Descriptor) bool,
	apply func(compose.List, compose.Repacking) (compose.List, []compose.Change, error),
) (compose.List, error) {
	layers, err := p.stage.pack(ctx, list, f, wanted)
	if err != nil {
		return list, err
	}
	from := list.Name
	if !from.IsFile() {
		from = from.At(registry.TransportStore)
	}
	list, changes, err := apply(list, compose.Repacking{
		Format: f, Layers: layers, From: from, Source: p.stage,
		KeepAttestations: p.Compression.KeepAttestations,
	})
	if err == nil && len(changes) == 0 {
		p.note("nothing to compress: every layer has " + f.Name + " already, or can't have it")
	}
	p.changes(changes)
	return list, err
}

// stage is a folder with layers that were packed here. It is a registry.Source of them.
type stage struct{ *store.Stage }

func (p *Push) newStage(ctx context.Context) (*stage, error) {
	if p.Stage == nil {
		return nil, fmt.Errorf("compressing layers: %w: no place for them", registry.ErrUsage)
	}
	folder, err := p.Stage(ctx)
	return &stage{folder}, err
}

// pack packs the wanted layers of all images, each once, as many at a time as there are processors.
func (s *stage) pack(
	ctx context.Context, list compose.List, f repack.Format, wanted func(v1.Descriptor) bool,
) (map[v1.Hash]repack.Layer, error) {
	var mu sync.Mutex
	all := map[v1.Hash]repack.Layer{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	seen := map[v1.Hash]bool{}
	for _, e := range list.Entries {
		if e.Artifact || e.Image == nil {
			continue
		}
		for _, d := range e.Image.Layers {
			if seen[d.Digest] || !repack.Packable(d) || !wanted(d) {
				continue
			}
			seen[d.Digest] = true
			group.Go(func() error {
				layer, err := s.packLayer(ctx, e.Image.Source, d, f)
				if err != nil {
					return fmt.Errorf("compressing layer %s of %s of %q: %w", d.Digest, e, list.Name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all[d.Digest] = layer
				return nil
			})
		}
	}
	return all, group.Wait()
}

func (s *stage) packLayer(
	ctx context.Context, from registry.Source, d v1.Descriptor, f repack.Format,
) (layer repack.Layer, err error) {
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "compressing", Blob: d})
	defer func() { task.End(registry.Copied, err) }()
	r, err := from.Blob(ctx, d)
	if err != nil {
		return layer, err
	}
	defer r.Close()
	name := filepath.Join(s.Dir, "packing-"+d.Digest.Hex)
	w, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return layer, err
	}
	layer, err = f.Pack(ctx, w, registry.Counted(ctx, r))
	if err = errors.Join(err, w.Close()); err != nil {
		return layer, errors.Join(err, os.Remove(name))
	}
	return layer, os.Rename(name, s.path(layer.Descriptor))
}

func (s *stage) path(d v1.Descriptor) string {
	return filepath.Join(s.Dir, d.Digest.Hex+"-"+strconv.FormatInt(d.Size, 10))
}

// Manifest implements registry.Source.
func (s *stage) Manifest(_ context.Context, d v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, fmt.Errorf("reading %s: %w", d.Digest, registry.ErrNotFound)
}

// Blob implements registry.Source.
func (s *stage) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	f, err := regular.Open(s.path(d))
	if err != nil {
		return nil, fmt.Errorf("reading layer %s: %w", d.Digest, err)
	}
	return registry.Counted(ctx, f), nil
}
