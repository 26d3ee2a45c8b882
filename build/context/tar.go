package buildcontext

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"mtool/build/snapshot"
	"mtool/registry"
	"mtool/registry/compression"
)

// decompress detects by the first bytes whether b is an archive, and how it is compressed.
func decompress(b *bufio.Reader) (plain io.Reader, archive bool, err error) {
	head, err := b.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	if name := compression.Name(head); name != "" {
		plain, err = compression.Open(name, b)
		return plain, true, err
	}
	// The magic of both POSIX and GNU tars. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
	return b, len(head) > 262 && string(head[257:262]) == "ustar", nil
}

// untar unpacks into dir and nowhere else: links out of dir are kept and not followed. The returned entries, by path,
// have what an ordinary user can't store on disk: owners, devices, set-id bits of others.
func untar(dir string, r io.Reader) (map[string]snapshot.Entry, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // a folder, opened to stay within it
	u := unpacker{root: root, entries: map[string]snapshot.Entry{}}
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.entries, nil
		}
		if err != nil {
			return nil, registry.Usagef("%w", err)
		}
		if err := u.unpack(h, t); err != nil {
			return nil, fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

type unpacker struct {
	root    *os.Root
	entries map[string]snapshot.Entry
	links   bool // a later name may lead through a link
}

func (u *unpacker) unpack(h *tar.Header, body io.Reader) error {
	name := inside(h.Name)
	if name == "" {
		return nil
	}
	if err := u.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	name, err := u.real(name)
	if err != nil {
		return err
	}
	e := snapshot.Entry{
		Mode: h.FileInfo().Mode(), UID: h.Uid, GID: h.Gid, ModTime: h.ModTime, Major: h.Devmajor, Minor: h.Devminor,
		Capability: []byte(h.PAXRecords["SCHILY.xattr.security.capability"]),
	}
	if h.Typeflag != tar.TypeDir {
		_ = u.root.Remove(name) // this entry replaces an earlier one
	}
	switch h.Typeflag {
	case tar.TypeDir:
		err = u.root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		u.links = true
		err = u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		to, resolved := u.real(inside(h.Linkname))
		if resolved != nil {
			return resolved
		}
		e = u.entries[to]
		err = u.root.Link(to, name)
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		err = u.file(name, body)
	default:
		return nil // a header for other entries, such as the whole archive
	}
	u.entries[name] = e
	return err
}

// inside returns an archive's name as a path below its root.
func inside(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// real returns where name is once the links before its last part are followed.
func (u *unpacker) real(name string) (string, error) {
	parent := path.Dir(name)
	if !u.links || parent == "." {
		return name, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(u.root.Name(), filepath.FromSlash(parent)))
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(u.root.Name(), dir)
	if err != nil || !filepath.IsLocal(rel) {
		return "", registry.Usagef("it lies behind a link that leads out of the archive")
	}
	return path.Join(filepath.ToSlash(rel), path.Base(name)), nil
}

// file writes the content; a device or a pipe has none.
func (u *unpacker) file(name string, body io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}
