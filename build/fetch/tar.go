package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mtool/build"
)

// decompress tells by the first bytes whether there is an archive, and how it is compressed.
func decompress(b *bufio.Reader) (plain io.Reader, archive bool, err error) {
	head, err := b.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		plain, err = gzip.NewReader(b)
		return plain, true, err
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, false, err
		}
		return z.IOReadCloser(), true, nil
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(b), true, nil
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return nil, false, errors.New("xz is not supported: use gzip or zstd")
	}
	// The magic of POSIX and of GNU tars alike. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
	return b, len(head) > 262 && string(head[257:262]) == "ustar", nil
}

// untar unpacks into dir, and nowhere else: links that lead out are kept as they are, and not followed.
func untar(dir string, r io.Reader) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // a folder, opened to stay within it
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", build.ErrUsage, err)
		}
		if err := entry(root, h, t); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

func entry(root *os.Root, h *tar.Header, body io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" {
		return nil
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(h.Mode).Perm()
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil {
			return err
		}
		return root.Chmod(name, mode|0o700)
	case tar.TypeSymlink:
		_ = root.Remove(name) // a later entry of that name replaces it
		return root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		_ = root.Remove(name)
		return root.Link(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"), name)
	case tar.TypeReg:
		return file(root, name, mode, h, body)
	}
	return nil // devices and pipes are no part of a build context
}

func file(root *os.Root, name string, mode os.FileMode, h *tar.Header, body io.Reader) error {
	_ = root.Remove(name)
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return root.Chtimes(name, h.ModTime, h.ModTime)
}
