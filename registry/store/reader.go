package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

const (
	layoutFile = "oci-layout"
	indexFile  = "index.json"
	blobsDir   = "blobs"
	// layoutVersion is the only one that exists:
	// https://github.com/opencontainers/image-spec/blob/main/image-layout.md#oci-layout-file
	layoutVersion = "1.0.0"
	// maxManifest is far above what registries accept (4 MiB), and keeps a wrong file from filling the memory.
	maxManifest = 8 << 20
	maxIndex    = 64 << 20 // a store's names a hundred thousand images
)

// Reader reads an OCI layout. It is a registry.Source.
type Reader struct {
	files fs.FS
	place string
}

// NewReader returns a reader of the layout in files; place names it in errors (a directory or an archive).
func NewReader(files fs.FS, place string) *Reader { return &Reader{files: files, place: place} }

// Check reads the oci-layout file. The error wraps registry.ErrContent when it is missing or has an unknown version.
func (r *Reader) Check() error {
	data, err := registry.ReadFile(r.files, layoutFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return registry.WithKind(fmt.Errorf("%q is not an OCI layout: it has no file %q", r.place, layoutFile),
			registry.ErrContent)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", r.name(layoutFile), err)
	}
	var layout struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := registry.CheckJSON(data, "imageLayoutVersion"); err != nil {
		return fmt.Errorf("reading %q: %w", r.name(layoutFile), err)
	}
	if err := json.Unmarshal(data, &layout); err != nil {
		return registry.WithKind(fmt.Errorf("reading %q: %w", r.name(layoutFile), err), registry.ErrContent)
	}
	if layout.Version != layoutVersion {
		return registry.WithHint(fmt.Errorf("reading %q: layout version %q, only %s is known: %w", r.name(layoutFile),
			layout.Version, layoutVersion, registry.ErrContent),
			"use the program that wrote it, or a newer mtool")
	}
	return nil
}

// Index returns the parsed index.json, after Check.
func (r *Reader) Index() (Index, error) {
	if err := r.Check(); err != nil {
		return Index{}, err
	}
	return r.AnyIndex()
}

// IndexManifest returns index.json as a list of its own, for layouts in which it is one.
func (r *Reader) IndexManifest() (registry.Manifest, error) {
	data, err := r.readIndex()
	if err != nil {
		return registry.Manifest{}, err
	}
	return registry.NewManifest("", data)
}

func (r *Reader) readIndex() ([]byte, error) {
	data, err := registry.ReadFile(r.files, indexFile, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.WithKind(fmt.Errorf("%q is not an OCI layout: it has no file %q", r.place, indexFile),
			registry.ErrContent)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", r.name(indexFile), err)
	}
	return data, nil
}

// AnyIndex is Index without Check: podman does not look for the oci-layout file either.
func (r *Reader) AnyIndex() (Index, error) {
	data, err := r.readIndex()
	if err != nil {
		return Index{}, err
	}
	index, err := parseIndex(data)
	if err != nil {
		return Index{}, registry.WithHint(registry.WithKind(fmt.Errorf("reading %q: %w", r.name(indexFile), err),
			registry.ErrContent),
			fmt.Sprintf("its blobs are untouched: restore the file, or move %q away and fill it again", r.place))
	}
	return index, nil
}

// Root returns the manifest of a row of index.json. When it is missing the error wraps registry.ErrContent, not
// ErrNotFound: the layout is damaged, and a caller that looks for the name must not go on elsewhere.
func (r *Reader) Root(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	m, err := r.Manifest(ctx, d)
	if errors.Is(err, registry.ErrNotFound) {
		return registry.Manifest{}, fmt.Errorf("reading %q: its %s names a manifest that is not there: %q: %w",
			r.place, indexFile, blobPath(d.Digest), registry.ErrContent)
	}
	return m, err
}

// Manifest implements registry.Source.
func (r *Reader) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	rc, err := r.Blob(ctx, d)
	if err != nil {
		return registry.Manifest{}, err
	}
	body, err := io.ReadAll(io.LimitReader(rc, maxManifest+1))
	err = errors.Join(err, rc.Close())
	if err == nil && len(body) > maxManifest {
		err = fmt.Errorf("reading %q: over %d bytes, not a manifest: %w", r.name(blobPath(d.Digest)), maxManifest,
			registry.ErrContent)
	}
	if err != nil {
		return registry.Manifest{}, err
	}
	if err := registry.CheckManifest(body); err != nil {
		return registry.Manifest{}, fmt.Errorf("reading %q: %w", r.name(blobPath(d.Digest)), err)
	}
	m, err := registry.NewManifest(d.MediaType, body)
	if err != nil {
		return registry.Manifest{}, fmt.Errorf("reading %q: %w", r.name(blobPath(d.Digest)), err)
	}
	m.Digest = d.Digest // of the same bytes, which Blob has verified; NewManifest may use another algorithm
	return m, nil
}

// Blob implements registry.Source. It refuses a blob of the wrong size; one of the wrong digest fails at its end.
func (r *Reader) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	name := blobPath(d.Digest)
	f, err := r.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("reading %s in %q: %w", d.Digest, r.place, registry.ErrNotFound)
	}
	if errors.Is(err, regular.ErrFile) {
		err = fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", r.name(name), err)
	}
	info, err := f.Stat()
	if err == nil && d.Size > 0 && info.Size() != d.Size {
		err = registry.WithKind(fmt.Errorf("it has %d bytes, its descriptor says %d", info.Size(), d.Size),
			registry.ErrContent)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %q: %w", r.name(name), err), f.Close())
	}
	return Verify(f, d, r.name(name))
}

// name returns a file of the layout as errors show it.
func (r *Reader) name(file string) string { return path.Join(r.place, file) }

func blobPath(h v1.Hash) string { return path.Join(blobsDir, h.Algorithm, h.Hex) }
