package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/versions"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// firstWithLists is the API version of Docker Engine 25, the first that loads lists.
const firstWithLists = "1.44"

// KeepsLists reports whether the engine keeps lists, with all their platforms: Docker Engine 25 and later with
// containerd's image store.
func (e *Engine) KeepsLists(ctx context.Context) (bool, error) {
	info, err := e.api.Info(ctx)
	if err != nil {
		return false, e.failure(ctx, "asking for the image store", err)
	}
	containerd := slices.Contains(info.DriverStatus, [2]string{"driver-type", "io.containerd.snapshotter.v1"})
	return containerd && versions.GreaterThanOrEqualTo(e.api.ClientVersion(), firstWithLists), nil
}

// Has reports whether the engine has this image or list under the name of ref.
func (e *Engine) Has(ctx context.Context, ref registry.Ref, digest v1.Hash) (bool, error) {
	return e.hasOne(ctx, ref, digest)
}

// ListLoad writes one list into an engine that keeps lists, as the tar of an OCI layout that is sent while it is made.
// It is a registry.Target; its PutTag names the list as the load was started. End it with End.
type ListLoad struct {
	engine *Engine
	ref    registry.Ref
	body   *io.PipeWriter
	answer chan error

	mu      sync.Mutex // guards what follows
	tar     *tar.Writer
	written map[v1.Hash]bool
	root    registry.Manifest
}

// StartListLoad starts to load a list under the name and tag of ref.
func (e *Engine) StartListLoad(ctx context.Context, ref registry.Ref) *ListLoad {
	r, w := io.Pipe()
	l := &ListLoad{
		engine: e, ref: ref, body: w, answer: make(chan error, 1), tar: tar.NewWriter(w), written: map[v1.Hash]bool{},
	}
	go func() {
		err := e.post(ctx, r)
		_ = r.Close() // ends the writer if the engine did not read to the end
		l.answer <- err
	}()
	return l
}

// PutBlob implements registry.Target.
func (l *ListLoad) PutBlob(ctx context.Context, d v1.Descriptor, src registry.Source) (registry.Moved, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written[d.Digest] {
		return registry.Present, nil
	}
	l.written[d.Digest] = true
	blob, err := src.Blob(ctx, d)
	if err != nil {
		return registry.Present, err
	}
	blob = registry.Counted(ctx, blob)
	return registry.Copied, errors.Join(add(l.tar, blobName(d.Digest), d.Size, blob), blob.Close())
}

// PutManifest implements registry.Target.
func (l *ListLoad) PutManifest(_ context.Context, m registry.Manifest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written[m.Digest] {
		return nil
	}
	l.written[m.Digest] = true
	return add(l.tar, blobName(m.Digest), int64(len(m.Body)), bytes.NewReader(m.Body))
}

// PutTag implements registry.Target.
func (l *ListLoad) PutTag(ctx context.Context, _ string, m registry.Manifest) error {
	l.root = m
	return l.PutManifest(ctx, m)
}

// End finishes the load, or gives it up because of failed. The error wraps registry.ErrContent when the engine stores
// another list.
func (l *ListLoad) End(ctx context.Context, failed error) error {
	doing := fmt.Sprintf("loading %q", l.ref)
	if failed == nil {
		failed = l.finish()
	}
	_ = l.body.CloseWithError(failed) // never fails
	err := <-l.answer
	switch {
	case failed != nil && !errors.Is(failed, io.ErrClosedPipe):
		return failed
	case err != nil:
		return l.engine.failure(ctx, doing, err)
	}
	has, err := l.engine.Has(ctx, l.ref, l.root.Digest)
	if err == nil && !has {
		err = fmt.Errorf("%s: %w: the engine made another list of it", doing, registry.ErrContent)
	}
	return err
}

// finish writes the files that make a layout of the blobs.
func (l *ListLoad) finish() error {
	index, err := index(l.ref.Name(), l.root)
	if err != nil {
		return err
	}
	for _, f := range []struct{ name, data string }{
		{layoutFile, layoutText}, {"index.json", string(index)},
	} {
		if err := add(l.tar, f.name, int64(len(f.data)), strings.NewReader(f.data)); err != nil {
			return err
		}
	}
	return l.tar.Close()
}

const (
	layoutFile = "oci-layout"
	layoutText = `{"imageLayoutVersion":"1.0.0"}`
)

// index returns the index.json of a layout with one image or list, which containerd then gives the name.
func index(name string, m registry.Manifest) ([]byte, error) {
	row := m.Descriptor()
	tag := name[strings.LastIndex(name, ":")+1:]
	row.Annotations = map[string]string{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag}
	return json.Marshal(v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{row},
	})
}
