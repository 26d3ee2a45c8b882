package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/inspect/platform"
	"mtool/registry"
)

const (
	// maxDepth is how many lists may lie between the root and an image.
	maxDepth = 8
	// maxEntries bounds the rows of all lists together: lists that hold one list many times, nested, grow without end.
	maxEntries = 10_000
	// maxConfig is the most that is read of one image config, in bytes; real ones have some kilobytes.
	maxConfig = 4 << 20
	// maxParallel bounds the goroutines of one round; a registry client has a limit of its own.
	maxParallel = 64
)

// ErrLimit is wrapped by the Err of an image that is too large to be looked at: a config of more than 4 MiB.
var ErrLimit = errors.New("over the limit")

// Read fetches everything that says what is under obj: after the root, which obj holds, all manifests at once (a round
// more for each level of nested lists) and then all configs at once. What several entries share is fetched once. Layers
// are not read.
//
// An error means that the root itself can't be read (it wraps registry.ErrContent), that there are more than 10,000
// entries, or that ctx is done. What goes wrong with one entry is in its Err, and the others are read nevertheless: a
// missing or lying child, a list that contains itself or is nested deeper than 8, a config of more than 4 MiB.
func Read(ctx context.Context, obj registry.Object) (Report, error) {
	r := reader{ref: obj.Ref, root: obj.Root.Digest, source: obj.Source}
	report := Report{Ref: obj.Ref, Root: obj.Root}
	doc, err := decode(obj.Root.MediaType, obj.Root.Body)
	if err != nil {
		return Report{}, fmt.Errorf("reading %q: %w", obj.Ref, err)
	}
	top := []*node{{desc: obj.Root.Descriptor(), manifest: obj.Root, doc: doc}}
	if report.List = doc.facts; report.List != nil {
		top = newNodes(doc.rows, nil)
		if err := r.manifests(ctx, top); err != nil {
			return Report{}, err
		}
	}
	images, attachments := collect(top, obj.Source)
	report.Images = images
	report.attach(attachments)
	if err := r.configs(ctx, report.Images); err != nil {
		return Report{}, err
	}
	if report.List == nil {
		return report, report.makeRow()
	}
	return report, nil
}

// makeRow gives a single image, or a single artifact, the row that it would have in a list.
func (r *Report) makeRow() error {
	for n := range r.Images {
		i := &r.Images[n]
		if !platform.IsUnknown(i.Config) {
			i.Descriptor.Platform = &i.Config
		}
		row, err := json.Marshal(i.Descriptor)
		if err != nil {
			return fmt.Errorf("reading %q: %w", r.Ref, err)
		}
		i.Row = row
	}
	for n := range r.Others {
		row, err := json.Marshal(r.Others[n].Descriptor)
		if err != nil {
			return fmt.Errorf("reading %q: %w", r.Ref, err)
		}
		r.Others[n].Row = row
	}
	return nil
}

type reader struct {
	ref     registry.Ref
	root    v1.Hash
	source  registry.Source
	entries int
}

// manifests reads the tree below the root, one round a level.
func (r *reader) manifests(ctx context.Context, level []*node) error {
	fetched := map[content]registry.Manifest{}
	for len(level) > 0 {
		if r.entries += len(level); r.entries > maxEntries {
			return fmt.Errorf("reading %q: %w: more than %d entries", r.ref, ErrLimit, maxEntries)
		}
		if err := r.level(ctx, level, fetched); err != nil {
			return err
		}
		var next []*node
		for _, n := range level {
			next = append(next, n.kids...)
		}
		level = next
	}
	return nil
}

// level fetches the manifests of one level that no level before had, and hands all to their nodes.
func (r *reader) level(ctx context.Context, nodes []*node, fetched map[content]registry.Manifest) error {
	var want []v1.Descriptor
	for _, n := range nodes {
		if n.guard(r.root); n.fetches() {
			want = append(want, n.desc)
		}
	}
	failed, err := round(ctx, r.ref, want, fetched, r.source.Manifest)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.fetches() {
			if n.err = failed[contentOf(n.desc)]; n.err == nil {
				n.take(fetched[contentOf(n.desc)])
			}
		}
		if n.err != nil {
			n.err = fmt.Errorf("reading manifest of %s in %q: %w", nameOf(n.desc), r.ref, n.err)
		}
	}
	return nil
}

// configs reads the platform of every image whose manifest was read.
func (r *reader) configs(ctx context.Context, images []Image) error {
	var want []v1.Descriptor
	for _, i := range images {
		if i.Err == nil {
			want = append(want, i.ConfigOf)
		}
	}
	configs := map[content]config{}
	failed, err := round(ctx, r.ref, want, configs, r.config)
	if err != nil {
		return err
	}
	for n := range images {
		i := &images[n]
		if i.Err != nil {
			continue
		}
		read := configs[contentOf(i.ConfigOf)]
		i.Config, i.ConfigBody = read.platform, read.body
		if err := failed[contentOf(i.ConfigOf)]; err != nil {
			i.Err = fmt.Errorf("reading config of %s in %q: %w", nameOf(i.Descriptor), r.ref, err)
		}
	}
	return nil
}

// config is an image config: what it states of the platform, and its bytes.
type config struct {
	platform v1.Platform
	body     []byte
}

func (r *reader) config(ctx context.Context, d v1.Descriptor) (c config, err error) {
	if c.body, err = ReadBlob(ctx, r.source, d, maxConfig); err != nil {
		return c, err
	}
	c.platform, err = decodeConfig(c.body)
	return c, err
}

// content is what makes two descriptors one request: a descriptor that lies about the size must fail on its own.
type content struct {
	digest v1.Hash
	size   int64
}

func contentOf(d v1.Descriptor) content { return content{d.Digest, d.Size} }

// round fetches what have does not hold yet, each content once, all at once. The error is that ctx is done; why a single
// content could not be read is in failed.
func round[T any](
	ctx context.Context, ref registry.Ref, want []v1.Descriptor, have map[content]T,
	fetch func(context.Context, v1.Descriptor) (T, error),
) (failed map[content]error, err error) {
	var todo []v1.Descriptor
	asked := map[content]bool{}
	for _, d := range want {
		if _, known := have[contentOf(d)]; !known && !asked[contentOf(d)] {
			asked[contentOf(d)] = true
			todo = append(todo, d)
		}
	}
	values, errs := make([]T, len(todo)), make([]error, len(todo))
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(maxParallel)
	for i, d := range todo {
		g.Go(func() error {
			values[i], errs[i] = fetch(groupCtx, d)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("reading %q: %w", ref, err)
	}
	failed = map[content]error{}
	for i, d := range todo {
		if failed[contentOf(d)] = errs[i]; errs[i] == nil {
			have[contentOf(d)] = values[i]
		}
	}
	return failed, nil
}
