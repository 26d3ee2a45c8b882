package engine

import (
	"context"
	"fmt"
	"io"
	"strings"

	"mtool/registry"
)

// Save writes the image of this name to w, as the tar of docker save: a Docker archive, and from Docker 25 on an OCI
// archive too. The engine streams it; nothing is buffered. When the image is missing the error wraps
// registry.ErrNotFound.
func (e *Engine) Save(ctx context.Context, ref registry.Ref, w io.Writer) (err error) {
	doing := fmt.Sprintf("reading %q", ref)
	name := imageName(ref)
	// Engines differ in their answer to a save of a missing image.
	if _, err := e.api.ImageInspect(ctx, name); err != nil {
		return e.failure(ctx, doing, err)
	}
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "reading", Name: ref.String(), Size: -1})
	defer func() { task.End(registry.Copied, err) }()
	body, err := e.api.ImageSave(ctx, []string{name})
	if err != nil {
		return e.failure(ctx, doing, err)
	}
	body = registry.Counted(ctx, body)
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

// reading separates failures of the engine from those of the writer that takes its bytes.
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

// imageName returns the name that the engine expects: an image id typed as docker-daemon:sha256:… parses as a name with
// a tag.
func imageName(ref registry.Ref) string {
	if ref.Host == "docker.io" && ref.Repo == "library/sha256" && isImageID(ref.Tag) {
		return "sha256:" + ref.Tag
	}
	return ref.Name()
}

func isImageID(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
