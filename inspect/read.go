package inspect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/inspect/platform"
	"mtool/registry"
)

const (
	// maxDepth is how deep lists may be nested below the root.
	maxDepth = 8
	// maxEntries limits the rows of all lists together: lists that hold one list many times, nested, grow without end.
	maxEntries = 10_000
	// maxConfig limits one image config, in bytes; real ones have some kilobytes.
	maxConfig = 4 << 20
	// maxManifest is larger than any manifest that registries and runtimes accept, in bytes.
	maxManifest = 8 << 20
	// maxContent limits all manifests and configs of a report together, in bytes: they stay in memory, decoded, and a
	// list can name thousands. Real ones have some kilobytes each.
	maxContent = 16 << 20
	// maxValues limits the values in them, since each takes more memory decoded than as "" or {}.
	maxValues = 1_000_000
	// maxParallel limits the goroutines of one round; a registry client has its own limit.
	maxParallel = 64
)

// ErrLimit is wrapped by the Err of an image that is too large to check: a config of more than 4 MiB, a manifest of
// more than 10,000 layers, or what follows the first 16 MiB of manifests and configs.
var ErrLimit = errors.New("over the limit")

// Read fetches everything that describes what is under obj: after the root, which obj holds, all manifests at once (one
// more round for each level of nested lists) and then all configs at once. Content that several entries share is
// fetched once. Layers are not read.
//
// An error means that the root itself can't be read (it wraps registry.ErrContent), that there are more than 10,000
// entries (ErrLimit), or that ctx is done. When one entry fails, its error is in its Err, and the others are still
// read: a missing or lying child, a list that contains itself or is nested deeper than 8, a config of more than 4 MiB.
func Read(ctx context.Context, obj registry.Object) (Report, error) { return Reader{}.Read(ctx, obj) }

// Reader is Read with a callback.
type Reader struct {
	// OnManifest, if set, is called with each manifest below the root as soon as it was read, from several goroutines at
	// once.
	OnManifest func(v1.Descriptor, registry.Manifest)
}

// Read is the function Read, with the callback.
func (o Reader) Read(ctx context.Context, obj registry.Object) (Report, error) {
	r := reader{ref: obj.Ref, root: obj.Root.Digest, source: obj.Source, left: maxContent, onManifest: o.OnManifest}
	r.values.Store(maxValues)
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
	all := leaves(top)
	if err := r.configs(ctx, all); err != nil {
		return Report{}, err
	}
	if err := r.disguised(ctx, all); err != nil {
		return Report{}, err
	}
	images, attachments := rows{leaves: all, source: obj.Source}.sort()
	report.Images = images
	report.attach(attachments)
	if report.List == nil {
		return report, report.makeRow()
	}
	return report, nil
}

// makeRow makes the row that a single image or artifact would have in a list.
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
		a := &r.Others[n]
		if a.Descriptor.ArtifactType = a.ArtifactType; !platform.IsUnknown(a.Config) {
			a.Descriptor.Platform = &a.Config
		}
		row, err := json.Marshal(a.Descriptor)
		if err != nil {
			return fmt.Errorf("reading %q: %w", r.Ref, err)
		}
		a.Row = row
	}
	return nil
}

type reader struct {
	ref     registry.Ref
	root    v1.Hash
	source  registry.Source
	entries int
	left    int64      // of maxContent
	unsized sync.Mutex // guards left while a round runs
	values  atomic.Int64

	onManifest func(v1.Descriptor, registry.Manifest) // or nil
}

// count subtracts the values of a document from those that may still be decoded.
func (r *reader) count(body []byte) error {
	if r.values.Add(-valuesIn(body)) < 0 {
		return fmt.Errorf("%w: more than %d values in manifests and configs", ErrLimit, maxValues)
	}
	return nil
}

// valuesIn estimates how many values a JSON document has.
func valuesIn(body []byte) int64 { return int64(bytes.Count(body, []byte{','})) }

// reserve subtracts the size that a descriptor announces from what may still be read.
func (r *reader) reserve(d v1.Descriptor) error {
	if size := max(d.Size, 0); size <= r.left {
		r.left -= size
		return nil
	}
	return fmt.Errorf("%w: manifests and configs of more than %d MiB", ErrLimit, maxContent>>20)
}

// spend calls fetch. Content without an announced size is fetched one at a time, and counted afterwards.
func (r *reader) spend(d v1.Descriptor, fetch func() (n int, err error)) error {
	if d.Size > 0 {
		_, err := fetch()
		return err
	}
	r.unsized.Lock()
	defer r.unsized.Unlock()
	if r.left <= 0 {
		return fmt.Errorf("%w: manifests and configs of more than %d MiB", ErrLimit, maxContent>>20)
	}
	n, err := fetch()
	r.left -= int64(n)
	return err
}

func (r *reader) manifest(ctx context.Context, d v1.Descriptor) (m registry.Manifest, err error) {
	err = r.spend(d, func() (int, error) {
		m, err = r.source.Manifest(ctx, d)
		return len(m.Body), err
	})
	if err == nil && r.onManifest != nil {
		r.onManifest(d, m)
	}
	return m, err
}

// manifests reads the tree below the root, one round for each level.
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

// level fetches the manifests of one level that are not in fetched, and passes all to their nodes.
func (r *reader) level(ctx context.Context, nodes []*node, fetched map[content]registry.Manifest) error {
	var want []v1.Descriptor
	for _, n := range nodes {
		if n.guard(r.root); n.fetches() {
			want = append(want, n.desc)
		}
	}
	failed, err := round(ctx, r, want, fetched, r.manifest)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.fetches() {
			m := fetched[contentOf(n.desc)]
			if n.err = cmp.Or(failed[contentOf(n.desc)], r.count(m.Body)); n.err == nil {
				n.take(m)
			}
		}
		if n.err != nil {
			n.err = fmt.Errorf("reading manifest of %s in %q: %w", nameOf(n.desc), r.ref, n.err)
		}
	}
	return nil
}

// configs reads the platform of every node that could be an image, and those that artifacts state.
func (r *reader) configs(ctx context.Context, leaves []*node) error {
	var want []v1.Descriptor
	for _, n := range leaves {
		if n.readsConfig() {
			want = append(want, n.doc.config)
		}
	}
	for _, n := range leaves { // after the images, which come first if there is too much
		if n.readsClaim() {
			want = append(want, n.doc.config)
		}
	}
	configs := map[content]config{}
	failed, err := round(ctx, r, want, configs, r.config)
	if err != nil {
		return err
	}
	for _, n := range leaves {
		image, artifact := n.readsConfig(), n.readsClaim()
		if !image && !artifact {
			continue
		}
		n.config = configs[contentOf(n.doc.config)]
		err := failed[contentOf(n.doc.config)]
		if image {
			err = cmp.Or(err, n.config.err)
		}
		if err != nil && (image || !errors.Is(err, ErrLimit)) {
			n.err = fmt.Errorf("reading config of %s in %q: %w", nameOf(n.desc), r.ref, err)
		}
	}
	return nil
}

// disguised finds manifests in rows that name another media type. A client that falls back to a row without a platform,
// or finds no image before one with its platform, requests it as a manifest, whatever its type. They are read one at a
// time, and not kept.
func (r *reader) disguised(ctx context.Context, leaves []*node) error {
	images := slices.ContainsFunc(leaves, (*node).runs)
	for _, n := range leaves {
		hidden := n.desc.Platform != nil && (images || platform.IsUnknown(*n.desc.Platform)) // rows judges those
		if n.err != nil || !registry.PointsToBlob(n.desc) || hidden || n.desc.Size > maxManifest {
			continue
		}
		m, err := r.source.Manifest(ctx, v1.Descriptor{Digest: n.desc.Digest})
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("reading %q: %w", r.ref, ctx.Err())
		case err == nil:
			n.err = fmt.Errorf("%w: its row says %q, it is %q", registry.ErrContent, n.desc.MediaType, m.MediaType)
		case errors.Is(err, registry.ErrAmbiguous), !errors.Is(err, registry.ErrNotFound) &&
			!errors.Is(err, registry.ErrContent):
			n.err = fmt.Errorf("reading %s in %q: %w", nameOf(n.desc), r.ref, err)
		}
	}
	return nil
}

// config is a config: the platform that it states, and its bytes. err is why it is not an image's.
type config struct {
	platform v1.Platform
	body     []byte
	err      error
}

func (r *reader) config(ctx context.Context, d v1.Descriptor) (c config, err error) {
	err = r.spend(d, func() (int, error) {
		c.body, err = ReadBlob(ctx, r.source, d, maxConfig)
		return len(c.body), err
	})
	if err = cmp.Or(err, r.count(c.body)); err != nil {
		return config{}, err
	}
	c.platform, c.err = decodeConfig(c.body)
	return c, nil
}

// content identifies a request. It has the size, so that a descriptor with a wrong size fails alone.
type content struct {
	digest v1.Hash
	size   int64
}

func contentOf(d v1.Descriptor) content { return content{d.Digest, d.Size} }

// round fetches the content that have does not hold yet, each once, all at once. It returns an error only when ctx is
// done; failed holds why single content could not be read.
func round[T any](
	ctx context.Context, r *reader, want []v1.Descriptor, have map[content]T,
	fetch func(context.Context, v1.Descriptor) (T, error),
) (failed map[content]error, err error) {
	var todo []v1.Descriptor
	asked := map[content]bool{}
	failed = map[content]error{}
	for _, d := range want {
		if _, known := have[contentOf(d)]; known || asked[contentOf(d)] {
			continue
		}
		asked[contentOf(d)] = true
		if err := r.reserve(d); err != nil {
			failed[contentOf(d)] = err
			continue
		}
		todo = append(todo, d)
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
		return nil, fmt.Errorf("reading %q: %w", r.ref, err)
	}
	for i, d := range todo {
		if failed[contentOf(d)] = errs[i]; errs[i] == nil {
			have[contentOf(d)] = values[i]
		}
	}
	return failed, nil
}
