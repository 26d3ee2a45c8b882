package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// A directory of skopeo says so in this file. The version is the newest that has no other names for anything here.
const (
	directoryVersion = "version"
	versionText      = "Directory Transport Version: 1.1\n"
	versionPrefix    = "Directory Transport Version: "
	maxVersion       = 1 << 10
)

// directoryWriter makes a directory of skopeo. The spool is a layout inside it, whose blobs only need another name.
type directoryWriter struct {
	path  string
	spool *spool
	fresh bool // this writer has made the directory

	mu    sync.Mutex
	files map[v1.Hash]string // with the ending of each
	root  v1.Hash
}

func newDirectoryWriter(path string) (*directoryWriter, error) {
	w := &directoryWriter{path: path, files: map[v1.Hash]string{}}
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		w.fresh = true
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("a file of this name exists: %w", registry.ErrContent)
	}
	if err := refuseOther(path); err != nil {
		return nil, err
	}
	if err := registry.MakeDirs(path, 0o755); err != nil {
		return nil, err
	}
	var err error
	if w.spool, err = newSpool(filepath.Join(path, directoryManifest)); err != nil {
		w.removeEmpty()
		return nil, err
	}
	return w, nil
}

// refuseOther refuses a directory that has files and is not one of skopeo: they are somebody's.
func refuseOther(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := registry.ReadFile(regular.DirFS(path), directoryVersion, maxVersion)
	if err == nil && strings.HasPrefix(string(text), versionPrefix) {
		return nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), spoolPrefix(directoryManifest)) {
			return registry.WithHint(
				fmt.Errorf("the directory is neither empty nor one that skopeo wrote: %w", registry.ErrContent),
				"name another directory, or an empty one")
		}
	}
	return nil
}

// add records what will be written, and how the name of its file ends.
func (w *directoryWriter) add(h v1.Hash, ending string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[h] = ending
}

// name records the manifest that the directory is about.
func (w *directoryWriter) name(h v1.Hash) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.root = h
}

// place moves what was written to where skopeo looks for it. The manifest comes last, so that the directory has the old
// image or the new one at any time; what only the old one needs is removed after that.
func (w *directoryWriter) place() error {
	err := registry.WriteFile(filepath.Join(w.path, directoryVersion), registry.WriteOptions{Mode: 0o644},
		func(to io.Writer) error {
			_, err := io.WriteString(to, versionText)
			return err
		})
	if err != nil {
		return err
	}
	written := map[string]bool{}
	for h, ending := range w.files {
		if h == w.root {
			continue
		}
		name := directoryFile(h) + ending
		if err := w.move(h, name); err != nil {
			return err
		}
		written[name] = true
	}
	if err := errors.Join(registry.SyncDir(w.path), w.move(w.root, directoryManifest)); err != nil {
		return err
	}
	return errors.Join(registry.SyncDir(w.path), w.removeOld(written))
}

func (w *directoryWriter) move(h v1.Hash, name string) error {
	return os.Rename(filepath.Join(w.spool.layout(), "blobs", h.Algorithm, h.Hex), filepath.Join(w.path, name))
}

// removeOld removes the blobs, manifests and signatures of the image that was replaced, and no other file.
func (w *directoryWriter) removeOld(written map[string]bool) error {
	entries, err := os.ReadDir(w.path)
	for _, e := range entries {
		digits, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "sha512-"), ".")
		blob := (len(digits) == 64 || len(digits) == 128) && strings.Trim(digits, "0123456789abcdef") == ""
		if e.Type().IsRegular() && !written[e.Name()] && (blob || strings.HasPrefix(e.Name(), "signature-")) {
			err = errors.Join(err, registry.RemoveFile(filepath.Join(w.path, e.Name())))
		}
	}
	return err
}

// removeEmpty removes the directory that this writer has made, if nothing is in it. Errors are ignored.
func (w *directoryWriter) removeEmpty() {
	if w.fresh {
		_ = os.Remove(w.path)
	}
}
