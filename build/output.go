package build

import (
	"context"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	digest "github.com/opencontainers/go-digest"
)

// output is the folder that a worker exports into. A blob that the local store has is linked in, and the worker, told
// that it is there, does not send it again: base layers and cached steps are not moved. What is in the folder gets
// verified before it is stored, links too.
type output struct {
	content.Store
	dir, store string // both are OCI layouts
}

func newOutput(dir, store string) (content.Store, error) {
	blobs, err := contentlocal.NewStore(dir)
	if err != nil {
		return nil, err
	}
	return output{Store: blobs, dir: dir, store: store}, os.MkdirAll(filepath.Join(dir, "blobs", digest.Canonical.String()), 0o755)
}

// Writer is asked for each blob, first thing.
func (o output) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var w content.WriterOpts
	for _, opt := range opts {
		if err := opt(&w); err != nil {
			return nil, err
		}
	}
	if d := w.Desc.Digest; d.Validate() == nil {
		blob := filepath.Join("blobs", d.Algorithm().String(), d.Encoded())
		_ = os.Link(filepath.Join(o.store, blob), filepath.Join(o.dir, blob)) // when it fails the blob is sent
	}
	return o.Store.Writer(ctx, opts...)
}
