package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// maxManifest is what the specification recommends to accept at least, and what other registries accept at most.
const maxManifest = 4 << 20

// refusal is a request that is answered with an error.
type refusal struct {
	status        int
	code, message string
}

func (r refusal) Error() string { return r.message }

func invalid(format string, args ...any) error {
	return refusal{http.StatusBadRequest, "MANIFEST_INVALID", fmt.Sprintf(format, args...)}
}

// putManifest stores and names a manifest:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	m, tags, err := s.readManifest(w, r, id)
	if err == nil {
		err = s.nameManifest(r, repo.name, m, tags)
	}
	var refused refusal
	switch {
	case errors.As(err, &refused):
		refuse(w, refused.status, refused.code, refused.message)
		return
	case err != nil:
		s.broken(w, err, "MANIFEST_BLOB_UNKNOWN")
		return
	}
	if body, err := contentOf(m); err == nil && body.Subject != nil {
		w.Header().Set("OCI-Subject", body.Subject.Digest.String())
	}
	for _, tag := range tags {
		if tag != id {
			w.Header().Add("OCI-Tag", tag)
		}
		s.tell(Event{Pushed, repo.named(tag), m.Digest, sizeOf(m)})
	}
	if len(tags) == 0 {
		s.tell(Event{Pushed, repo.named(id), m.Digest, sizeOf(m)})
	}
	created(w, repo, "manifests", m.Digest)
}

// readManifest returns the manifest of a request and the tags that it gets.
func (s *Server) readManifest(
	w http.ResponseWriter, r *http.Request, id string,
) (m registry.Manifest, tags []string, err error) {
	body, err := io.ReadAll(io.LimitReader(s.body(w, r), maxManifest+1))
	switch {
	case err != nil:
		return m, nil, invalid("the manifest did not arrive whole: %v", err)
	case len(body) > maxManifest:
		return m, nil, refusal{
			http.StatusRequestEntityTooLarge, "SIZE_INVALID",
			fmt.Sprintf("this registry takes manifests up to %d bytes", maxManifest),
		}
	}
	if err := registry.CheckManifest(body); err != nil {
		return m, nil, invalid("%v", err)
	}
	contentType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind, err := registry.ManifestType(contentType, body)
	switch {
	case err != nil:
		return m, nil, invalid("%v", err)
	case !kind.IsImage() && !kind.IsIndex():
		return m, nil, invalid("%q is not the type of an image or a list", kind)
	case contentType != "" && contentType != string(kind):
		return m, nil, invalid("the request says that the type is %q, but it is %q", contentType, kind)
	}
	if m, err = registry.NewManifest(kind, body); err != nil {
		return m, nil, invalid("%v", err)
	}
	tags = r.URL.Query()["tag"]
	if registry.IsTag(id) {
		tags = []string{id}
	} else if err := verify(&m, id); err != nil {
		return m, nil, refusal{http.StatusBadRequest, "DIGEST_INVALID", err.Error()}
	}
	for _, tag := range tags {
		if !registry.IsTag(tag) {
			return m, nil, invalid("%q is not a tag", tag)
		}
	}
	return m, tags, nil
}

func verify(m *registry.Manifest, digest string) error {
	h, err := v1.NewHash(digest)
	if err != nil {
		return err
	}
	return m.Verify(h, "of the address")
}

// nameManifest puts the manifest and the blobs that it names into the store, all or none.
func (s *Server) nameManifest(r *http.Request, name string, m registry.Manifest, tags []string) error {
	s.naming.Lock()
	defer s.naming.Unlock()
	ctx := r.Context()
	repo, err := s.repository(ctx, name) // again, now that no other request changes it
	if err != nil {
		return err
	}
	if err := meets(r, repo, tags); err != nil {
		return err
	}
	body, err := contentOf(m)
	if err != nil {
		return invalid("%v", err)
	}
	if err := s.checkContent(ctx, repo, body); err != nil {
		return err
	}
	writer := s.store.Writer(repo.ref)
	err = s.takeIn(ctx, repo, body, writer)
	if err == nil {
		err = s.giveNames(ctx, repo, m, tags, writer)
	}
	if err = errors.Join(err, writer.Close()); err != nil {
		return err
	}
	for _, blob := range body.blobs() {
		_ = registry.RemoveFile(s.uploads.blob(repo.ref.Repository(), blob.Digest)) // at worst it stays until the server ends
	}
	return nil
}

// meets checks the conditions of the request about each tag: https://www.rfc-editor.org/rfc/rfc9110#section-13.1
func meets(r *http.Request, repo repository, tags []string) error {
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	for _, tag := range tags {
		d, there := repo.tagged(tag)
		if match != "" && (!there || match != "*" && match != `"`+d.Digest.String()+`"`) || none == "*" && there {
			return refusal{http.StatusPreconditionFailed, "DENIED", "the tag " + tag + " is not what the request says it is"}
		}
	}
	return nil
}

// checkContent refuses a manifest that names content missing from the repository, or the wrong size for it. Layers
// that may not be distributed can be missing.
func (s *Server) checkContent(ctx context.Context, repo repository, body content) error {
	for _, d := range slices.Concat(body.blobs(), body.manifests()) {
		size, err := s.sizeOfBlob(ctx, repo, d.Digest)
		switch {
		case errors.Is(err, registry.ErrNotFound) && !d.MediaType.IsDistributable():
		case errors.Is(err, registry.ErrNotFound):
			return refusal{
				http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN",
				fmt.Sprintf("the manifest names %s, which is not in %s", d.Digest, repo.name),
			}
		case err != nil:
			return err
		case size != d.Size:
			return invalid("the manifest says that %s has %d bytes, it has %d", d.Digest, d.Size, size)
		}
	}
	for _, d := range body.manifests() {
		if _, err := s.holds(ctx, repo, d.Digest); err != nil {
			return refusal{
				http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN",
				fmt.Sprintf("the list names %s, which is not a manifest of %s", d.Digest, repo.name),
			}
		}
	}
	return nil
}

func (s *Server) sizeOfBlob(ctx context.Context, repo repository, h v1.Hash) (int64, error) {
	f, err := s.openBlob(ctx, repo, h)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// takeIn moves uploaded blobs into the store, and protects those that are there already from being collected.
func (s *Server) takeIn(ctx context.Context, repo repository, body content, writer *store.Writer) error {
	for _, d := range slices.Concat(body.blobs(), body.manifests()) {
		_, err := writer.PutBlob(ctx, d, nowhere{})
		if errors.Is(err, registry.ErrNotFound) {
			_, err = writer.PutFile(ctx, d, s.uploads.blob(repo.ref.Repository(), d.Digest))
		}
		if err != nil && (!errors.Is(err, os.ErrNotExist) || d.MediaType.IsDistributable()) {
			return err
		}
	}
	return nil
}

// nowhere is a source without content.
type nowhere struct{}

func (nowhere) Manifest(context.Context, v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, registry.ErrNotFound
}

func (nowhere) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	return nil, registry.ErrNotFound
}
