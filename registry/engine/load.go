package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	images "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Load loads the image m, whose config and layers are in src, under the name and tag of ref, and takes the name from
// any other image. It reports whether the engine already had the image under this name; nothing is sent then.
//
// The error wraps registry.ErrContent when the engine stores another image than m.
func (e *Engine) Load(
	ctx context.Context, ref registry.Ref, m registry.Manifest, src registry.Source,
) (present bool, err error) {
	doing := fmt.Sprintf("loading %q", ref)
	if ref.Tag == "" || ref.Digest != (v1.Hash{}) {
		return false, fmt.Errorf("%s: %w: name the image by a tag, an engine gives digests itself", doing, registry.ErrName)
	}
	image, err := newPayload(ctx, ref, m, src)
	if err != nil {
		return false, fmt.Errorf("%s: %w", doing, err)
	}
	defer image.remove()
	if has, err := e.has(ctx, ref, image); err != nil || has {
		return has, err
	}
	if err := e.send(ctx, doing, image); err != nil {
		return false, err
	}
	has, err := e.has(ctx, ref, image)
	if err == nil && !has {
		err = fmt.Errorf("%s: %w: the engine made another image of it", doing, registry.ErrContent)
	}
	return false, err
}

// has reports whether name is this image. The id of an image is its config's digest, or the manifest's in the
// containerd store.
func (e *Engine) has(ctx context.Context, ref registry.Ref, image *payload) (bool, error) {
	return e.hasOne(ctx, ref, image.config.Digest, image.manifest.Digest)
}

func (e *Engine) hasOne(ctx context.Context, ref registry.Ref, ids ...v1.Hash) (bool, error) {
	there, err := e.api.ImageInspect(ctx, ref.Name())
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, e.failure(ctx, fmt.Sprintf("looking up %q", ref), err)
	}
	return slices.ContainsFunc(ids, func(id v1.Hash) bool { return there.ID == id.String() }), nil
}

func (e *Engine) send(ctx context.Context, doing string, image *payload) error {
	r, w := io.Pipe()
	wrote := make(chan error, 1)
	go func() {
		err := image.writeTo(ctx, w)
		_ = w.CloseWithError(err) // never fails
		wrote <- err
	}()
	err := e.post(ctx, r)
	_ = r.Close() // ends the writer if the engine did not read to the end
	if cause := <-wrote; cause != nil && !errors.Is(cause, io.ErrClosedPipe) {
		return fmt.Errorf("%s: %w", doing, cause)
	}
	if err != nil {
		return e.failure(ctx, doing, err)
	}
	return nil
}

// post sends a tar and returns the engine's complaint.
func (e *Engine) post(ctx context.Context, tar io.Reader) error {
	answer, err := e.api.ImageLoad(ctx, tar, client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	return errors.Join(loadFailure(answer.Body), answer.Body.Close())
}

// loadFailure returns the error in the engine's messages, which follow status 200.
func loadFailure(body io.Reader) error {
	for d := json.NewDecoder(body); ; {
		var message struct {
			Error string `json:"error"`
		}
		switch err := d.Decode(&message); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading its answer: %w", err)
		case message.Error != "":
			return fmt.Errorf("%w: %s", cerrdefs.ErrInvalidArgument, message.Error)
		}
	}
}

// Remove removes a name; the last one removes the image. Build cache stays.
func (e *Engine) Remove(ctx context.Context, ref registry.Ref) error {
	if _, err := e.api.ImageRemove(ctx, imageName(ref), images.RemoveOptions{}); err != nil {
		return e.failure(ctx, fmt.Sprintf("removing %q", ref), err)
	}
	return nil
}
