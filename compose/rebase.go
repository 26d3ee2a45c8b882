package compose

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Borrowed are layers of an image that its own source does not have.
type Borrowed struct {
	From   registry.Ref
	Source registry.Source
	Layers []v1.Descriptor
}

// Rebase puts every image of the list on another base of its platform: the layers of old at its bottom become those of now, and
// what its config has from old (a variable, a label, the command) becomes what now has. The list must be resolved. An image that
// is not made on old, and a platform that one of the bases lacks, are inspect.ErrMismatch. Attestations of the old digests go;
// with keepAttestations that is an error.
func (l List) Rebase(old, now inspect.Report, keepAttestations bool) (List, []Change, error) {
	out := l.with(slices.Clone(l.Entries))
	var changes []Change
	for i, e := range out.Entries {
		if e.Artifact {
			continue
		}
		r := rebase{entry: e}
		var err error
		if r.old, err = baseFor(e, old); err == nil {
			r.now, err = baseFor(e, now)
		}
		if err == nil {
			out.Entries[i], err = r.run(now.Ref, keepAttestations)
		}
		if err != nil {
			return List{}, nil, fmt.Errorf("rebasing %s of %q: %w", e, l.Name, err)
		}
		c := Change{Action: Unchanged, Entry: out.Entries[i]}
		if out.Entries[i].Digest() != e.Digest() {
			c.Action, c.Note = Edited, "its digest was "+e.Digest().String()
			if gone := e.belongings(); gone != "" {
				c.Note += "; dropped: " + gone + " about that one"
			}
			c.Note += "; signatures and referrers of that one don't carry over"
		}
		changes = append(changes, c)
	}
	return out, changes, nil
}

// baseFor returns the image of a base that serves the platform of e.
func baseFor(e Entry, base inspect.Report) (inspect.Image, error) {
	var have []v1.Platform
	for _, img := range base.Images {
		have = append(have, img.Platform())
	}
	want := e.Config
	if platform.IsUnknown(want) {
		want = e.Platform()
	}
	served := platform.Serve(have, want, false)
	if len(served.Rows) == 0 {
		return inspect.Image{}, fmt.Errorf("%w: the base %q has no %s", inspect.ErrMismatch, base.Ref, formatPlatform(want))
	}
	img := base.Images[served.Rows[0]]
	return img, img.Err
}

// rebase is the work on one image.
type rebase struct {
	entry    Entry
	old, now inspect.Image
}

func (r rebase) run(base registry.Ref, keepAttestations bool) (Entry, error) {
	if err := r.entry.unread(); err != nil {
		return Entry{}, err
	}
	if err := r.check(); err != nil {
		return Entry{}, err
	}
	manifest, err := parseObject(r.entry.Image.Manifest.Body)
	if err != nil {
		return Entry{}, err
	}
	if manifest, err = r.layers(manifest); err != nil {
		return Entry{}, err
	}
	config, err := r.config()
	if err != nil {
		return Entry{}, err
	}
	if manifest, err = manifest.withConfig(config); err != nil {
		return Entry{}, err
	}
	if manifest, err = r.annotations(manifest, base); err != nil {
		return Entry{}, err
	}
	m, err := registry.NewManifest(r.entry.Image.Manifest.MediaType, manifest.encode())
	if err != nil || m.Digest == r.entry.Digest() {
		return r.entry, err
	}
	if keepAttestations && len(r.entry.Attestations) > 0 {
		return Entry{}, ErrAttested
	}
	return r.remade(m, config, base)
}

// remade is the entry with its new manifest, whose lower layers come from the base.
func (r rebase) remade(m registry.Manifest, config []byte, base registry.Ref) (Entry, error) {
	out := r.entry
	if out.OriginalDigest == (v1.Hash{}) {
		out.OriginalDigest = out.Digest()
	}
	out.Attestations = nil
	out, err := out.withManifest(m, config)
	if err != nil {
		return Entry{}, err
	}
	out.ownConfig = true
	b := Borrowed{From: base, Source: r.now.Source, Layers: out.Image.Layers[:len(r.now.Layers)]}
	out.Borrowed = append(slices.Clone(out.Borrowed), b)
	img := *out.Image
	img.Source = layered{img.Source, b}
	out.Image = &img
	return out, nil
}

// check reports an image that is not made on the old base: the layers of that one, by what they unpack to, must be its lowest.
func (r rebase) check() error {
	image, err := diffIDs(*r.entry.Image)
	if err != nil {
		return err
	}
	base, err := diffIDs(r.old)
	if err != nil {
		return err
	}
	if _, err := diffIDs(r.now); err != nil {
		return err
	}
	for i, layer := range base {
		if i >= len(image) {
			return fmt.Errorf("%w: it is not made on the old base: it has %s, the base %d", inspect.ErrMismatch,
				inspect.Count(len(image), "layer"), len(base))
		}
		if image[i] != layer {
			return fmt.Errorf("%w: it is not made on the old base: layer %d unpacks to %s, the base's to %s", inspect.ErrMismatch, i+1,
				image[i], layer)
		}
	}
	return nil
}

// diffIDs are the layers of an image by what they unpack to: one for each.
func diffIDs(img inspect.Image) ([]v1.Hash, error) {
	d, err := img.Details()
	if err != nil {
		return nil, err
	}
	if len(d.DiffIDs) != len(img.Layers) {
		return nil, fmt.Errorf("%w: the config of %s names %s, its manifest %d", registry.ErrContent, img.Descriptor.Digest,
			inspect.Count(len(d.DiffIDs), "layer"), len(img.Layers))
	}
	return d.DiffIDs, nil
}

// layers replaces the lowest layers of a manifest. Those of the new base get the media types of the image's kind.
func (r rebase) layers(manifest object) (object, error) {
	kind := TypeOCI
	if isDocker(r.entry.Image.Manifest.MediaType) {
		kind = TypeDocker
	}
	lower, err := rowsOf(r.now.Manifest)
	if err != nil {
		return nil, err
	}
	for i, row := range lower {
		if lower[i], err = convertRow(row, kind, true); err != nil {
			return nil, err
		}
	}
	upper, err := rowsOf(r.entry.Image.Manifest)
	if err != nil {
		return nil, err
	}
	return manifest.set("layers", slices.Concat(lower, upper[len(r.old.Layers):]))
}

func rowsOf(m registry.Manifest) ([]json.RawMessage, error) {
	var rows struct {
		Layers []json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(m.Body, &rows); err != nil {
		return nil, fmt.Errorf("reading layers: %w: %w", registry.ErrContent, err)
	}
	return rows.Layers, nil
}

// annotations names the new base, where the image can have annotations.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
func (r rebase) annotations(manifest object, base registry.Ref) (object, error) {
	if isDocker(r.entry.Image.Manifest.MediaType) {
		return manifest, nil
	}
	var have map[string]string
	if err := manifest.decode(annotationsMember, &have); err != nil {
		return nil, err
	}
	return manifest.setStrings(annotationsMember, Edit{Annotations: map[string]string{
		inspect.BaseName: base.Name(), inspect.BaseDigest: r.now.Descriptor.Digest.String(),
	}}.annotations(have))
}

// configMembers are those of a config that say what is in the image.
type configMembers struct {
	image, old, now object
}

// config is the image's, with the layers and the history of the new base, and what the old base had given it.
func (r rebase) config() ([]byte, error) {
	var c configMembers
	var err error
	for _, one := range []struct {
		into *object
		img  inspect.Image
	}{{&c.image, *r.entry.Image}, {&c.old, r.old}, {&c.now, r.now}} {
		if *one.into, err = parseObject(one.img.ConfigBody); err != nil {
			return nil, err
		}
	}
	rootfs, err := r.rootfs(c.image)
	if err != nil {
		return nil, err
	}
	history, err := r.history(c)
	if err != nil {
		return nil, err
	}
	inherited, err := c.inherit()
	if err != nil {
		return nil, err
	}
	out := c.image.setRaw("rootfs", rootfs)
	if len(history) == 0 {
		out = out.remove("history")
	} else if out, err = out.set("history", history); err != nil {
		return nil, err
	}
	if len(inherited) > 0 || out.get("config") != nil {
		out = out.setRaw("config", inherited.encode())
	}
	return out.encode(), nil
}

func (r rebase) rootfs(config object) (json.RawMessage, error) {
	image, _ := diffIDs(*r.entry.Image) // checked before
	now, _ := diffIDs(r.now)
	rootfs, err := parseObject(config.get("rootfs"))
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, h := range slices.Concat(now, image[len(r.old.Layers):]) {
		ids = append(ids, h.String())
	}
	if rootfs, err = rootfs.set("diff_ids", ids); err != nil {
		return nil, err
	}
	return rootfs.encode(), nil
}

// history replaces what the image has of the old base's history. Where it does not fit the layers there is none: it is optional.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
func (r rebase) history(c configMembers) ([]json.RawMessage, error) {
	var image, old, now []json.RawMessage
	for _, one := range []struct {
		from object
		into *[]json.RawMessage
	}{{c.image, &image}, {c.old, &old}, {c.now, &now}} {
		if err := one.from.decode("history", one.into); err != nil {
			return nil, err
		}
	}
	same := func(a, b json.RawMessage) bool { return string(a) == string(b) }
	if len(old) > len(image) || !slices.EqualFunc(old, image[:len(old)], same) {
		return nil, nil
	}
	out := slices.Concat(now, image[len(old):])
	layers := len(r.entry.Image.Layers) - len(r.old.Layers) + len(r.now.Layers)
	for _, step := range out {
		var s struct {
			Empty bool `json:"empty_layer"`
		}
		if err := json.Unmarshal(step, &s); err != nil {
			return nil, fmt.Errorf("reading history: %w: %w", registry.ErrContent, err)
		}
		if !s.Empty {
			layers--
		}
	}
	if layers != 0 {
		return nil, nil
	}
	return out, nil
}

// inherit is the member "config" of the image: each value that is the old base's becomes the new base's, as a new build would
// have it. Variables and labels are compared one by one.
func (c configMembers) inherit() (object, error) {
	inner := make([]object, 3)
	for i, o := range []object{c.image, c.old, c.now} {
		raw := o.get("config")
		if raw == nil || string(raw) == "null" {
			continue
		}
		var err error
		if inner[i], err = parseObject(raw); err != nil {
			return nil, err
		}
	}
	image, old, now := inner[0], inner[1], inner[2]
	names := map[string]bool{}
	out := image
	for _, o := range []object{old, now} {
		for _, m := range o {
			if m.name == "Env" || m.name == "Labels" || names[m.name] {
				continue
			}
			names[m.name] = true
			if string(image.get(m.name)) != string(old.get(m.name)) {
				continue // the image has its own
			}
			if v := now.get(m.name); v == nil {
				out = out.remove(m.name)
			} else {
				out = out.setRaw(m.name, v)
			}
		}
	}
	out, err := inheritEnv(out, image, old, now)
	if err != nil {
		return nil, err
	}
	return inheritLabels(out, image, old, now)
}

func inheritEnv(out, image, old, now object) (object, error) {
	var envs [3][]string
	for i, o := range []object{image, old, now} {
		if err := o.decode("Env", &envs[i]); err != nil {
			return nil, err
		}
	}
	values := [3]map[string]string{}
	var names []string
	for i, env := range envs {
		values[i] = map[string]string{}
		for _, pair := range env {
			name, _, _ := strings.Cut(pair, "=")
			if _, has := values[i][name]; !has && !slices.Contains(names, name) {
				names = append(names, name)
			}
			values[i][name] = pair
		}
	}
	var merged []string
	for _, name := range names {
		pair := values[0][name]
		if pair == values[1][name] {
			pair = values[2][name]
		}
		if pair != "" {
			merged = append(merged, pair)
		}
	}
	return out.setOrRemove("Env", merged)
}

func inheritLabels(out, image, old, now object) (object, error) {
	var labels [3]map[string]string
	for i, o := range []object{image, old, now} {
		if err := o.decode("Labels", &labels[i]); err != nil {
			return nil, err
		}
	}
	merged := map[string]string{}
	for _, from := range labels {
		for name := range from {
			value, has := labels[0][name]
			if was, had := labels[1][name]; had == has && was == value {
				value, has = labels[2][name]
			}
			if has {
				merged[name] = value
			}
		}
	}
	return out.setStrings("Labels", merged)
}

// layered is the source of an image that has borrowed layers.
type layered struct {
	registry.Source
	borrowed Borrowed
}

// Blob implements registry.Source.
func (s layered) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if s.borrowed.has(d.Digest) {
		return s.borrowed.Source.Blob(ctx, d)
	}
	return s.Source.Blob(ctx, d)
}

func (b Borrowed) has(digest v1.Hash) bool {
	return slices.ContainsFunc(b.Layers, func(l v1.Descriptor) bool { return l.Digest == digest })
}
