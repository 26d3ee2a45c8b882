package compose

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/repack"
)

// Repacking is layers that were packed in another format, for List.Repack and List.AddCopies.
type Repacking struct {
	Format repack.Format
	// Layers has the new layers by the digests of the old ones. Others stay as they are.
	Layers map[v1.Hash]repack.Layer
	// Source has the new layers, and From names it.
	From   registry.Ref
	Source registry.Source
	// KeepAttestations refuses to change the digest of an image with attestations. Otherwise they are dropped.
	KeepAttestations bool
}

// zstdAnnotation marks the row of an image that only clients with zstd can read, so that these choose it and others
// don't. https://github.com/containers/image/blob/main/internal/manifest/oci_index.go
const zstdAnnotation = "io.github.containers.compression.zstd"

// Repack gives the images of a resolved list their new layers, which changes their digests. A Docker image becomes an
// OCI image if the format needs that. A layer that does not unpack to what the image's config says is
// inspect.ErrMismatch. Copies of one image that are packed alike afterwards become one entry.
func (l List) Repack(r Repacking) (List, []Change, error) {
	out := l.with(nil)
	var changes []Change
	made := map[v1.Hash]bool{}
	for _, e := range l.Entries {
		now, err := r.entry(e)
		if err != nil {
			return List{}, nil, fmt.Errorf("compressing %s of %q: %w", e, l.Name, err)
		}
		edited := now.Digest() != e.Digest()
		alike := func(o Entry) bool {
			return (edited || made[o.Digest()]) && (o.Digest() == now.Digest() || sameSlot(o, now) && sameBuild(o, now))
		}
		if slices.ContainsFunc(out.Entries, alike) {
			changes = append(changes, Change{Action: Removed, Entry: e, Note: "the same image, compressed alike now"})
			continue
		}
		out.Entries = append(out.Entries, now)
		if edited {
			made[now.Digest()] = true
			c := redone(e, now)
			c.Note = r.describe(e, now) + "; " + c.Note
			changes = append(changes, c)
		}
	}
	return out, changes, nil
}

// AddCopies adds a second copy of every image that the list has only in another compression. As containers/image does
// it, the copies for clients with zstd follow all others, since older clients take the first entry that fits; their
// rows have an annotation. Attestations speak about the image that they were made for, so a copy has none.
func (l List) AddCopies(r Repacking) (List, []Change, error) {
	out := l.with(slices.Clone(l.Entries))
	var changes []Change
	for _, e := range l.Entries {
		has := func(o Entry) bool { return samePlatform(o, e) && o.isZstd() == r.Format.IsZstd() }
		if e.Artifact || slices.ContainsFunc(out.Entries, has) {
			continue
		}
		r.KeepAttestations = false // the image keeps its own
		twin, err := r.entry(e)
		if err != nil {
			return List{}, nil, fmt.Errorf("compressing %s of %q: %w", e, l.Name, err)
		}
		if twin.Digest() == e.Digest() {
			continue
		}
		twin.RowNumber = 0
		out.Entries = append(out.Entries, twin)
		c := Change{Action: Added, Entry: twin, Note: r.describe(e, twin) + ", a copy of " + e.Digest().String()}
		if with := e.belongings(); with != "" {
			c.Note += " without its " + with
		}
		changes = append(changes, c)
	}
	if len(changes) == 0 {
		return l, nil, nil
	}
	return out.zstdLast(), changes, nil
}

// zstdLast moves the images that need zstd behind the others, in a published list too.
func (l List) zstdLast() List {
	behind := false // something without zstd is behind something with it
	seen := false
	for _, e := range l.written() {
		behind = behind || seen && !e.Artifact && e.Image != nil && !e.isZstd()
		seen = seen || e.isZstd()
	}
	if !behind {
		return l
	}
	var first, last []Entry
	for _, e := range l.Entries {
		if e.isZstd() {
			e.RowNumber = 0
			last = append(last, e)
			continue
		}
		first = append(first, e)
	}
	return l.with(append(first, last...))
}

// isZstd reports whether the entry's image has a layer that only clients with zstd can read.
func (e Entry) isZstd() bool {
	if e.Image == nil {
		return e.Descriptor.Annotations[zstdAnnotation] == "true"
	}
	return slices.ContainsFunc(e.Image.Layers, repack.Format{Name: repack.Zstd}.Holds)
}

// describe tells what was compressed: "zstd: 3 layers, 812 bytes instead of 1021".
func (r Repacking) describe(was, now Entry) string {
	n := 0
	var before, after int64
	for i, old := range was.Image.Layers {
		if layer := now.Image.Layers[i]; layer.Digest != old.Digest {
			n, before, after = n+1, before+old.Size, after+layer.Size
		}
	}
	s := fmt.Sprintf("%s: %s, %d bytes instead of %d", r.Format, inspect.Count(n, "layer"), after, before)
	if left := len(was.Image.Layers) - n; left > 0 {
		s += fmt.Sprintf(", %s as before", inspect.Count(left, "layer"))
	}
	if isDocker(was.Image.Manifest.MediaType) && !isDocker(now.Image.Manifest.MediaType) {
		s += "; it is an OCI image now, since Docker's format has no " + r.Format.Name
	}
	return s
}

// entry returns e with its new layers. An entry that is not an image, or has none of the layers, stays the same.
func (r Repacking) entry(e Entry) (Entry, error) {
	if e.Artifact || e.Image != nil && !slices.ContainsFunc(e.Image.Layers, r.has) {
		return e, nil
	}
	if err := e.unread(); err != nil {
		return Entry{}, err
	}
	if r.KeepAttestations && len(e.Attestations) > 0 {
		return Entry{}, ErrAttested
	}
	config, err := r.config(*e.Image)
	if err != nil {
		return Entry{}, err
	}
	m, err := r.manifest(e.Image.Manifest, config)
	if err != nil {
		return Entry{}, err
	}
	var layers []v1.Descriptor
	for _, layer := range r.Layers {
		layers = append(layers, layer.Descriptor)
	}
	ownConfig := e.ownConfig || e.madeConfig() || config != nil
	if config == nil {
		config = e.Image.ConfigBody
	}
	out, err := e.made(m, config, Borrowed{From: r.From, Source: r.Source, Layers: layers})
	if err != nil {
		return Entry{}, err
	}
	out.ownConfig = ownConfig
	return out.withAnnotation(zstdAnnotation, "true", out.isZstd())
}

func (r Repacking) has(layer v1.Descriptor) bool { _, has := r.Layers[layer.Digest]; return has }

// config checks what the layers unpack to. It returns the config with other diff IDs, nil if none has changed.
func (r Repacking) config(img inspect.Image) ([]byte, error) {
	stated, err := diffIDs(img)
	if err != nil {
		return nil, err
	}
	now := slices.Clone(stated)
	for i, layer := range img.Layers {
		packed, is := r.Layers[layer.Digest]
		if !is {
			continue
		}
		if packed.WasDiffID != stated[i] {
			return nil, fmt.Errorf("%w: layer %d unpacks to %s, the config says %s", inspect.ErrMismatch, i+1, packed.WasDiffID,
				stated[i])
		}
		now[i] = packed.DiffID
	}
	if slices.Equal(now, stated) {
		return nil, nil
	}
	config, err := parseObject(img.ConfigBody)
	if err != nil {
		return nil, err
	}
	rootfs, err := parseObject(config.get("rootfs"))
	if err != nil {
		return nil, err
	}
	if rootfs, err = rootfs.setDiffIDs(now); err != nil {
		return nil, err
	}
	return config.setRaw("rootfs", rootfs.encode()).encode(), nil
}

func (r Repacking) manifest(m registry.Manifest, config []byte) (registry.Manifest, error) {
	o, err := parseObject(m.Body)
	if err != nil {
		return m, err
	}
	mediaType := m.MediaType
	if isDocker(mediaType) && r.Format.NeedsOCI() {
		if o, mediaType, err = convert(o, mediaType, TypeOCI); err != nil {
			return m, err
		}
	}
	rows, err := rowsOf(o.encode())
	if err != nil {
		return m, err
	}
	for i := range rows {
		if rows[i], err = r.row(rows[i], isDocker(mediaType)); err != nil {
			return m, err
		}
	}
	if o, err = o.set("layers", rows); err != nil {
		return m, err
	}
	if config != nil {
		if o, err = o.withConfig(config); err != nil {
			return m, err
		}
	}
	return registry.NewManifest(mediaType, o.encode())
}

// row replaces what the descriptor of a layer says about its bytes.
func (r Repacking) row(raw json.RawMessage, docker bool) (json.RawMessage, error) {
	var d v1.Descriptor
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("reading layers: %w: %w", registry.ErrContent, err)
	}
	packed, is := r.Layers[d.Digest]
	if !is {
		return raw, nil
	}
	row, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	row = row.remove("data") // the old layer, embedded
	for _, member := range []struct {
		name  string
		value any
	}{
		{"mediaType", r.Format.MediaType(docker)},
		{"digest", packed.Descriptor.Digest.String()},
		{"size", packed.Descriptor.Size},
	} {
		if row, err = row.set(member.name, member.value); err != nil {
			return nil, err
		}
	}
	annotations := map[string]string{}
	for k, v := range d.Annotations {
		if !repack.DescribesPacking(k) {
			annotations[k] = v
		}
	}
	maps.Copy(annotations, packed.Descriptor.Annotations)
	row, err = row.setStrings(annotationsMember, annotations)
	return row.encode(), err
}
