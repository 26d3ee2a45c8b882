package engine

import (
	"context"
	"fmt"
	"io"
	"strings"

	"mtool/registry"
)

// Save writes the image of this name to w, as the tar of docker save: a Docker archive and, of Docker 25 and later, an OCI
// archive too. The engine streams it; nothing is kept here. A missing image is an error that wraps registry.ErrNotFound.
func (e *Engine) Save(ctx context.Context, ref registry.Ref, w io.Writer) error {
	doing := fmt.Sprintf("reading %q", ref)
	name := imageName(ref)
	// Engines differ in how they answer a save of what is not there.
	if _, err := e.api.ImageInspect(ctx, name); err != nil {
		return e.failure(ctx, doing, err)
	}
	body, err := e.api.ImageSave(ctx, []string{name})
	if err != nil {
		return e.failure(ctx, doing, err)
	}
	defer body.Close()
	from := &reading{Reader: body}
	if _, err := io.Copy(w, from); err != nil {
		if from.failed != nil {
			return e.failure(ctx, doing, fmt.Errorf("answer cut off: %w", err))
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// reading tells the failures of the engine from those of who takes its bytes.
type reading struct {
	io.Reader
	failed error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

// imageName is what the engine takes for ref: an image id typed as docker-daemon:sha256:… looks like a name with a tag.
func imageName(ref registry.Ref) string {
	if ref.Host == "docker.io" && ref.Repo == "library/sha256" && isImageID(ref.Tag) {
		return "sha256:" + ref.Tag
	}
	return ref.Name()
}

func isImageID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
