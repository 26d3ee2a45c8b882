package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"mtool/registry"
)

const blockSize = 512

// tarFS is a file system of the files in an uncompressed tar, read in place. It is safe for use from several
// goroutines.
type tarFS struct {
	file     *os.File
	sections map[string]section
}

// section is the position of a file's bytes in the tar; link is set instead for links, and odd for anything that is not
// a file.
type section struct {
	offset, size int64
	link         string
	odd          bool
}

// openTar indexes the tar. The error wraps registry.ErrContent when it is not a tar or is truncated.
func openTar(file *os.File) (*tarFS, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, registry.WithKind(errors.New("the file is empty"), registry.ErrContent)
	}
	t := &tarFS{file: file, sections: map[string]section{}}
	end, err := t.index(info.Size())
	if err != nil {
		return nil, err
	}
	// A tar ends with two blocks of zeros; one cut off between two files has none.
	trailer := make([]byte, blockSize)
	if _, err := file.ReadAt(trailer, end); err != nil || !bytes.Equal(trailer, make([]byte, blockSize)) {
		return nil, registry.WithKind(errors.New("truncated: the archive's end is missing"), registry.ErrContent)
	}
	return t, nil
}

// index records every file of the tar and returns where the last one ends. tar.Reader reads headers only, block by
// block, and seeks over the rest, so after a header the file's position is where the file's bytes start.
func (t *tarFS) index(size int64) (end int64, err error) {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	r := tar.NewReader(t.file)
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return end, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return 0, registry.WithKind(errors.New("truncated: the archive ends within a file"), registry.ErrContent)
		case errors.Is(err, tar.ErrHeader) && len(t.sections) == 0:
			return 0, registry.WithKind(errors.New("not a tar archive"), registry.ErrContent)
		case err != nil:
			return 0, registry.WithKind(fmt.Errorf("damaged tar archive: %w", err), registry.ErrContent)
		}
		offset, err := t.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return 0, err
		}
		end = offset
		if h.Typeflag == tar.TypeReg {
			end = (offset + h.Size + blockSize - 1) / blockSize * blockSize
		}
		if end > size {
			return 0, registry.WithKind(fmt.Errorf("truncated: %q needs %d bytes, the archive has %d", h.Name, end, size),
				registry.ErrContent)
		}
		if err := t.note(h, offset); err != nil {
			return 0, err
		}
	}
}

// note records a member. It refuses what programs read in different ways: Docker takes the last of two members of one
// name, skopeo and crane the first, and not all of them know sparse files.
func (t *tarFS) note(h *tar.Header, offset int64) error {
	name := clean(h.Name)
	at := section{offset: offset, size: h.Size}
	switch h.Typeflag {
	case tar.TypeDir:
		return nil
	case tar.TypeXGlobalHeader:
		if name == "pax_global_header" {
			return nil
		}
		at.odd = true
	case tar.TypeReg:
		at.odd = isSparse(h)
	case tar.TypeSymlink:
		at = section{link: clean(path.Join(path.Dir(name), h.Linkname))} //nolint:gosec // a key of a map, never a path
	case tar.TypeLink:
		at = section{link: clean(h.Linkname)}
	default:
		at.odd = true
	}
	if first, twice := t.sections[name]; twice && !t.same(first, at) {
		return fmt.Errorf("it holds %q twice, with different content: programs take the first or the last: %w", name,
			registry.ErrContent)
	}
	t.sections[name] = at
	return nil
}

// isSparse reports whether a file leaves out its zeros, so that its bytes in the tar are not its content.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// same reports whether two members hold the same bytes.
func (t *tarFS) same(a, b section) bool {
	if a.link != b.link || a.odd || b.odd || a.size != b.size {
		return false
	}
	x, y := make([]byte, 1<<16), make([]byte, 1<<16)
	for at := int64(0); at < a.size; at += int64(len(x)) {
		n := min(int64(len(x)), a.size-at)
		_, errX := t.file.ReadAt(x[:n], a.offset+at)
		_, errY := t.file.ReadAt(y[:n], b.offset+at)
		if errX != nil || errY != nil || !bytes.Equal(x[:n], y[:n]) {
			return false
		}
	}
	return true
}

// checkRegular refuses documents that exist and are not regular files: programs follow links to different places.
func (t *tarFS) checkRegular(names ...string) error {
	for _, name := range names {
		if at, ok := t.sections[name]; ok && (at.odd || at.link != "") {
			return registry.WithKind(fmt.Errorf("its %q is not a regular file", name), registry.ErrContent)
		}
	}
	return nil
}

// clean returns the name as Open looks it up; "./a" and "/a" are "a".
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// Open implements fs.FS and follows links.
func (t *tarFS) Open(name string) (fs.File, error) {
	const maxLinks = 8
	at, ok := t.sections[name]
	for range maxLinks {
		if !ok || at.link == "" {
			break
		}
		at, ok = t.sections[at.link]
	}
	if !ok || at.odd || at.link != "" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &tarFile{SectionReader: io.NewSectionReader(t.file, at.offset, at.size), name: path.Base(name)}, nil
}

func (t *tarFS) has(name string) bool {
	_, ok := t.sections[name]
	return ok
}

// tarFile is an open file of a tarFS; closing it leaves the tar open.
type tarFile struct {
	*io.SectionReader
	name string
}

func (f *tarFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *tarFile) Close() error               { return nil }

// The methods below implement fs.FileInfo.

func (f *tarFile) Name() string       { return f.name }
func (f *tarFile) Mode() fs.FileMode  { return 0o444 }
func (f *tarFile) ModTime() time.Time { return time.Time{} }
func (f *tarFile) IsDir() bool        { return false }
func (f *tarFile) Sys() any           { return nil }
