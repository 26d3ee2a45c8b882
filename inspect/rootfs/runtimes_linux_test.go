package rootfs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/pkg/archive"
	goarchive "github.com/moby/go-archive"
	"golang.org/x/sys/unix"

	"mtool/inspect/rootfs"
)

// visible maps paths to the content of a program, "text, executable", or "-> " and the target of a link. Directories
// and other files are left out.
type visible map[string]string

// unpacker unpacks layers as a runtime does.
type unpacker struct {
	name    string
	reading rootfs.Reading
	// unpack unpacks one layer. An error means that the runtime refuses the image.
	unpack func(dir string, layer []byte) error
}

func unpackers(h *host) []unpacker {
	unpack := func(options ...archive.ApplyOpt) func(string, []byte) error {
		return func(dir string, layer []byte) error {
			_, err := archive.Apply(h.t.Context(), dir, bytes.NewReader(layer), options...)
			return err
		}
	}
	noDevices := archive.WithFilter(func(h *tar.Header) (bool, error) {
		return h.Typeflag != tar.TypeChar && h.Typeflag != tar.TypeBlock, nil
	})
	return []unpacker{
		{
			name: "containerd on overlayfs", reading: rootfs.Overlay,
			unpack: unpack(archive.WithConvertWhiteout(archive.OverlayConvertWhiteout)),
		},
		{name: "containerd in place", reading: rootfs.InPlace, unpack: unpack()},
		{name: "containerd without privileges", reading: rootfs.InPlace, unpack: unpack(noDevices)},
		{name: "Docker on overlayfs", reading: rootfs.Overlay, unpack: h.chrooted(func(layer []byte) error {
			return goarchive.Unpack(bytes.NewReader(layer), "/",
				&goarchive.TarOptions{WhiteoutFormat: goarchive.OverlayWhiteoutFormat})
		})},
		{name: "Docker in place", reading: rootfs.InPlace, unpack: h.chrooted(func(layer []byte) error {
			_, err := goarchive.UnpackLayer("/", bytes.NewReader(layer), nil)
			return err
		})},
	}
}

// host is a thread with a mount namespace of its own, and a file system in memory.
type host struct {
	t    *testing.T
	dir  string
	root int // the real root
}

// chrooted runs an unpacker that trusts the kernel to keep links inside.
func (h *host) chrooted(unpack func(layer []byte) error) func(string, []byte) error {
	return func(dir string, layer []byte) error {
		if err := unix.Chroot(dir); err != nil {
			h.t.Fatal(err)
		}
		err := unix.Chdir("/")
		if err == nil {
			err = unpack(layer)
		}
		if back := unix.Fchdir(h.root); back != nil {
			h.t.Fatal(back)
		}
		if back := unix.Chroot("."); back != nil {
			h.t.Fatal(back)
		}
		return err
	}
}

// show unpacks layers and returns the file system that a container would see.
func (h *host) show(r unpacker, layers [][]byte) (visible, error) {
	dir := filepath.Join(h.dir, "image")
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			h.t.Fatal(err)
		}
	}()
	if r.reading == rootfs.InPlace {
		return h.inPlace(r, dir, layers)
	}
	lower := []string{filepath.Join(dir, "empty")}
	for i := range layers {
		lower = append(lower, fmt.Sprintf("%s/%d", dir, i))
	}
	for i, path := range lower {
		if err := os.MkdirAll(path, 0o755); err != nil {
			h.t.Fatal(err)
		}
		if i == 0 {
			continue
		}
		if err := r.unpack(path, layers[i-1]); err != nil {
			return nil, err
		}
	}
	slices.Reverse(lower)
	merged := filepath.Join(h.dir, "merged")
	if err := unix.Mount("overlay", merged, "overlay", unix.MS_RDONLY, "lowerdir="+strings.Join(lower, ":")); err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(merged, 0); err != nil {
			h.t.Fatal(err)
		}
	}()
	return h.walk(merged)
}

func (h *host) inPlace(r unpacker, dir string, layers [][]byte) (visible, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		h.t.Fatal(err)
	}
	for _, layer := range layers {
		if err := r.unpack(dir, layer); err != nil {
			return nil, err
		}
	}
	return h.walk(dir)
}

func (h *host) walk(root string) (visible, error) {
	all := visible{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		// a whiteout in a directory of one layer is listed but cannot be opened
		if _, err := os.Lstat(path); os.IsNotExist(err) {
			return nil
		}
		what, err := content(path, d)
		if what != "" {
			all[path[len(root)+1:]] = what
		}
		return err
	})
	return all, err
}

func content(path string, d fs.DirEntry) (string, error) {
	switch d.Type() {
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		return "-> " + target, err
	case 0:
	default:
		return "", nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	return described(string(text), info.Mode()&0o111 != 0), nil
}

func described(content string, executable bool) string {
	switch program := strings.HasPrefix(content, "program"); {
	case program && executable:
		return content + ", executable"
	case program:
		return content
	case executable:
		return "text, executable"
	}
	return ""
}

// seen returns the visible files of a tree.
func seen(tree *rootfs.Tree) visible {
	all := visible{}
	for e := range tree.All() {
		what := ""
		switch e.Type {
		case rootfs.Symlink:
			what = "-> " + e.File.Target
		case rootfs.Program:
			what = described(e.File.Fact.Arch, e.Runnable)
		case rootfs.Plain:
			what = described("", e.Runnable)
		}
		if what != "" {
			all[e.Path] = what
		}
	}
	return all
}

// differences lists the paths whose contents differ.
func differences(got, want visible) (all []string) {
	for path, what := range want {
		if got[path] != what {
			all = append(all, fmt.Sprintf("/%s is %q, Readings has %q", path, what, got[path]))
		}
	}
	for path, what := range got {
		if _, ok := want[path]; !ok {
			all = append(all, fmt.Sprintf("/%s is missing, Readings has %q", path, what))
		}
	}
	slices.Sort(all)
	return all
}
