package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// sweepPatience is how long Remove waits for writers to finish before it leaves the blobs to the next collection.
const sweepPatience = 2 * time.Second

// Store holds images and lists under their full names.
type Store struct{ layout *Layout }

// Image is a name in the store and its manifest.
type Image struct {
	Ref        registry.Ref
	Descriptor v1.Descriptor
	// Named is when a name of it was last written; zero when the manifest is missing.
	Named time.Time
}

// Open returns the store in dir. It does no I/O: the first write creates the directory, and a missing one is an empty
// store.
//
// The directory is created without access for other users: images may be private.
func Open(dir string) *Store {
	l := OpenLayout(dir)
	l.mode = 0o700
	return &Store{l}
}

// Dir returns the store's directory.
func (s *Store) Dir() string { return s.layout.dir }

// Get opens the image or list with this name, or with this digest whatever its name. The error wraps
// registry.ErrNotFound when it is missing, and registry.ErrContent, with the file's name, when files are damaged.
func (s *Store) Get(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	here := ref.At(registry.TransportStore)
	m, err := s.root(ctx, ref)
	if err != nil {
		return registry.Object{}, fmt.Errorf("opening %q: %w", here, err)
	}
	return registry.Object{Ref: here, Root: m, Source: s.layout.Reader}, nil
}

func (s *Store) root(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	if ref.Digest != (v1.Hash{}) {
		return s.layout.Manifest(ctx, v1.Descriptor{Digest: ref.Digest})
	}
	x, err := s.index()
	if err != nil {
		return registry.Manifest{}, err
	}
	row, ok := x.find(ref.Name())
	if !ok {
		return registry.Manifest{}, registry.WithKind(fmt.Errorf("the store %q has no such name", s.Dir()),
			registry.ErrNotFound)
	}
	return s.layout.Root(ctx, row.Descriptor)
}

// index returns the parsed index.json; empty where there is no store yet.
func (s *Store) index() (Index, error) {
	if _, err := os.Stat(filepath.Join(s.Dir(), layoutFile)); errors.Is(err, os.ErrNotExist) {
		return emptyIndex(), nil
	}
	return s.layout.Index()
}

// List returns everything in the store, by name. It leaves out rows that other tools wrote without a full name.
func (s *Store) List(_ context.Context) ([]Image, error) {
	x, err := s.index()
	if err != nil {
		return nil, fmt.Errorf("listing store: %w", err)
	}
	var images []Image
	for _, row := range x.Rows {
		ref, err := registry.ParseRef(string(registry.TransportStore) + ":" + row.Name())
		if err == nil && ref.Name() == row.Name() {
			images = append(images, Image{Ref: ref, Descriptor: row.Descriptor, Named: s.layout.named(row.Digest)})
		}
	}
	return images, nil
}

// Find returns what has this name, with a tag. The error wraps registry.ErrNotFound when nothing does.
func (s *Store) Find(ref registry.Ref) (Image, error) {
	x, err := s.index()
	if err != nil {
		return Image{}, fmt.Errorf("looking for %q: %w", ref.At(registry.TransportStore), err)
	}
	row, ok := x.find(ref.Name())
	if !ok {
		return Image{}, fmt.Errorf("looking for %q: %w", ref.At(registry.TransportStore), registry.ErrNotFound)
	}
	return Image{Ref: ref.At(registry.TransportStore), Descriptor: row.Descriptor, Named: s.layout.named(row.Digest)}, nil
}

// Tag gives m the name ref, and takes it from any other manifest. Everything m refers to must be present.
func (s *Store) Tag(ctx context.Context, ref registry.Ref, m registry.Manifest) error {
	w := s.Writer(ref)
	return errors.Join(w.PutTag(ctx, ref.Tag, m), w.Close())
}

// Writer returns a writer for the repository of ref. PutTag names a manifest ref.Repository():tag, or
// ref.Repository()@digest when the tag is empty. Close it, so that content without a name is removed.
func (s *Store) Writer(ref registry.Ref) *Writer {
	return s.layout.writer(func(tag string, m registry.Manifest) (string, map[string]string) {
		named := ref.WithDigest(m.Digest)
		if tag != "" {
			named = ref.WithTag(tag)
		}
		name := named.Name()
		return name, map[string]string{RefName: name, ContainerName: name}
	})
}

// Remove removes the name, or, where ref has a digest and no tag, all names of the digest in its repository; then the
// blobs that nothing refers to any more. While others write, the blobs stay until the next Remove or Collect. When the
// name is unknown the error wraps registry.ErrNotFound.
func (s *Store) Remove(ctx context.Context, ref registry.Ref) error {
	if err := s.removeRows(ctx, func(r Row) bool { return names(r, ref) }); err != nil {
		return fmt.Errorf("removing %q: %w", ref.At(registry.TransportStore), err)
	}
	patient, cancel := context.WithTimeout(ctx, sweepPatience)
	defer cancel()
	if _, err := s.Collect(patient); err != nil && patient.Err() == nil {
		return fmt.Errorf("removing what only %q had: %w", ref.At(registry.TransportStore), err)
	}
	return ctx.Err()
}

// Unname removes this one name, with a tag or a digest, and leaves what only it had to the next collection.
func (s *Store) Unname(ctx context.Context, ref registry.Ref) error {
	if err := s.removeRows(ctx, func(r Row) bool { return r.Name() == ref.Name() }); err != nil {
		return fmt.Errorf("removing %q: %w", ref.At(registry.TransportStore), err)
	}
	return nil
}

func (s *Store) removeRows(ctx context.Context, drop func(Row) bool) error {
	missing := registry.WithKind(fmt.Errorf("the store %q has no such name", s.Dir()), registry.ErrNotFound)
	switch x, err := s.index(); {
	case err != nil:
		return err
	case len(x.Rows) == 0:
		return missing // and looking creates no folder
	}
	if err := s.layout.prepare(ctx); err != nil {
		return err
	}
	return s.layout.edit(ctx, func(x *Index) error {
		before := len(x.Rows)
		x.Rows = slices.DeleteFunc(x.Rows, drop)
		if len(x.Rows) == before {
			return missing
		}
		return nil
	})
}

func names(row Row, ref registry.Ref) bool {
	if ref.Tag != "" {
		return row.Name() == ref.WithTag(ref.Tag).Name()
	}
	have, err := registry.ParseRef(string(registry.TransportStore) + ":" + row.Name())
	return err == nil && have.Repository() == ref.Repository() && row.Digest == ref.Digest
}

// Collect removes the blobs that nothing refers to, and returns their size in bytes. It waits for writers until ctx
// ends.
func (s *Store) Collect(ctx context.Context) (int64, error) {
	if _, err := os.Stat(s.Dir()); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err := s.layout.prepare(ctx); err != nil {
		return 0, err
	}
	release, err := s.layout.lock(ctx, contentLock, false)
	if err != nil {
		return 0, err
	}
	freed, err := s.layout.sweep(ctx, func(v1.Hash) bool { return true })
	if unlock, ok, lockErr := s.layout.tryLock(indexLock); ok {
		err = errors.Join(err, s.layout.removeStages(), unlock())
	} else {
		err = errors.Join(err, lockErr)
	}
	return freed, errors.Join(err, release())
}

// File opens the file of a blob, unverified, for callers that read parts of it. When it is missing the error wraps
// registry.ErrNotFound.
func (s *Store) File(h v1.Hash) (*os.File, error) {
	f, err := regular.Open(s.layout.blobFile(h))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading %s in %q: %w", h, s.Dir(), registry.ErrNotFound)
	}
	return f, err
}
