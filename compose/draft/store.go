package draft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/regular"
)

// Store is a folder of drafts. It may be used by several goroutines and processes at once.
type Store struct{ dir string }

// Open does not touch dir: Save creates it.
func Open(dir string) *Store { return &Store{dir: dir} }

// Item is a draft as returned by List.
type Item struct {
	// Ref is the draft's name; zero if neither the file nor its name shows it.
	Ref      registry.Ref
	List     compose.List
	File     string // the file's path
	Modified time.Time
	// Err is set for a file that can't be read as a draft; it wraps ErrCorrupt.
	Err error
}

// Save replaces the draft of l's name. The error wraps registry.ErrUsage if l's name can't be a draft's. A draft may be
// empty, to be filled later. One that another version of mtool wrote is not replaced: ErrCorrupt.
func (s *Store) Save(ctx context.Context, l compose.List) error {
	data, err := encode(l)
	if err != nil {
		return err
	}
	return s.locked(ctx, l.Name, func(path string) error {
		_, _, err := load(path, l.Name)
		var schema schemaError
		if errors.As(err, &schema) && schema.foreign() {
			return fmt.Errorf("replacing %q: %w", l.Name.Familiar(), err)
		}
		return write(path, data)
	})
}

// Load reads the draft of that name, whatever the transport of ref. Errors wrap registry.ErrNotFound or ErrCorrupt.
func (s *Store) Load(ctx context.Context, ref registry.Ref) (compose.List, error) {
	path, err := s.path(ref)
	if err != nil {
		return compose.List{}, err
	}
	if err := ctx.Err(); err != nil {
		return compose.List{}, err
	}
	l, _, err := load(path, ref)
	if errors.Is(err, registry.ErrNotFound) && s.replaced(ctx, path, ref, &l) {
		err = nil
	}
	return l, err
}

// Modified returns when the draft of that name was last written. A missing draft is registry.ErrNotFound.
func (s *Store) Modified(ref registry.Ref) (time.Time, error) {
	path, err := s.path(ref)
	if err != nil {
		return time.Time{}, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, notFound(ref)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading draft %q: %w", ref.Name(), err)
	}
	return info.ModTime(), nil
}

// replaced reports whether a missing draft was just being replaced, and reads the new one. On file systems that
// rename in two steps, such as exFAT by FUSE, the file is missing in between; its lock exists meanwhile.
func (s *Store) replaced(ctx context.Context, path string, ref registry.Ref, l *compose.List) bool {
	again := func(path string) (err error) {
		*l, _, err = load(path, ref)
		return err
	}
	if _, err := os.Lstat(lockOf(path)); err != nil {
		return again(path) == nil
	}
	return s.locked(ctx, ref, again) == nil
}

// Update loads, edits and saves a draft under its lock, so concurrent updates are not lost. If edit fails the draft
// is unchanged. Errors are those of Load, of edit as they come, and of Save.
func (s *Store) Update(
	ctx context.Context, ref registry.Ref, edit func(compose.List) (compose.List, error),
) (compose.List, error) {
	var out compose.List
	if _, err := s.Load(ctx, ref); err != nil { // before a folder or a lock is created for a missing draft
		return out, err
	}
	err := s.locked(ctx, ref, func(path string) error {
		l, before, err := load(path, ref)
		if err != nil {
			return err
		}
		if out, err = edit(l); err != nil {
			return err
		}
		out.Name = l.Name
		data, err := encode(out)
		if err != nil || bytes.Equal(data, before) {
			return err
		}
		return write(path, data)
	})
	if err != nil {
		return compose.List{}, err
	}
	return out, nil
}

// Remove deletes a draft, even a corrupt one. A missing draft is registry.ErrNotFound.
func (s *Store) Remove(ctx context.Context, ref registry.Ref) error {
	path, err := s.path(ref)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return notFound(ref)
	}
	return s.locked(ctx, ref, func(path string) error {
		err := os.Remove(path)
		if errors.Is(err, fs.ErrNotExist) {
			return notFound(ref)
		}
		return errors.Join(err, registry.RemoveFile(temporary(path)))
	})
}

// List returns all drafts sorted by name, corrupt ones included. A missing folder holds none.
func (s *Store) List(ctx context.Context) ([]Item, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing drafts: %w", err)
	}
	var items []Item
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !strings.HasSuffix(f.Name(), suffix) || strings.HasPrefix(f.Name(), ".") {
			continue
		}
		item, err := s.item(f.Name())
		if errors.Is(err, registry.ErrNotFound) {
			continue // removed since the folder was read
		}
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	slices.SortStableFunc(items, func(a, b Item) int { return strings.Compare(a.Ref.Name(), b.Ref.Name()) })
	return items, nil
}

func (s *Store) item(name string) (Item, error) {
	it := Item{File: filepath.Join(s.dir, name)}
	if full := nameIn(name); full != "" {
		if r, err := registry.ParseRef(full); err == nil && r.Name() == full {
			it.Ref = r.At(registry.TransportDraft)
		}
	}
	info, err := os.Stat(it.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Item{}, registry.ErrNotFound
	case err != nil:
		return Item{}, fmt.Errorf("listing drafts: %w", err)
	}
	it.Modified = info.ModTime()
	l, _, err := load(it.File, it.Ref)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return Item{}, err
	}
	if it.List, it.Err = l, err; err == nil {
		it.Ref = l.Name.At(registry.TransportDraft)
	}
	return it, nil
}

func (s *Store) path(ref registry.Ref) (string, error) {
	name, err := nameOf(ref)
	return filepath.Join(s.dir, fileOf(name)), err
}

func (s *Store) locked(ctx context.Context, ref registry.Ref, do func(path string) error) (err error) {
	path, err := s.path(ref)
	if err != nil {
		return err
	}
	if err := registry.MakeDirs(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of drafts: %w", err)
	}
	unlock, err := lock(ctx, lockOf(path))
	if err != nil {
		return fmt.Errorf("writing draft %q: %w", ref.Name(), err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return do(path)
}

// maxDraft is far more than a list of a thousand entries needs.
const maxDraft = 64 << 20

// load reads the draft in a file, and its bytes.
func load(path string, ref registry.Ref) (compose.List, []byte, error) {
	data, err := regular.Read(path, maxDraft)
	if errors.Is(err, fs.ErrNotExist) {
		return compose.List{}, nil, notFound(ref)
	}
	if err != nil {
		return compose.List{}, nil, fmt.Errorf("reading draft %q: %w", ref.Name(), err)
	}
	l, err := decode(data)
	if err == nil && fileOf(l.Name.Name()) != filepath.Base(path) {
		err = fmt.Errorf("it holds %q", l.Name.Name())
	}
	if err != nil {
		return compose.List{}, nil, corrupt(path, ref, err)
	}
	return l, data, nil
}
