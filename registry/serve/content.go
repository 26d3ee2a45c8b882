package serve

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// digest parses id, and answers with an error when it is not a digest.
func digest(w http.ResponseWriter, id string) (v1.Hash, bool) {
	h, err := v1.NewHash(id)
	if err != nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", err.Error())
	}
	return h, err == nil
}

// manifest answers with the exact bytes, by tag or digest.
func (s *Server) manifest(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	d, tagged := repo.tagged(id)
	if !tagged {
		if registry.IsTag(id) {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "no such tag")
			return
		}
		h, ok := digest(w, id)
		if !ok {
			return
		}
		var err error
		if d, err = s.holds(r.Context(), repo, h); err != nil {
			s.broken(w, err, "MANIFEST_UNKNOWN")
			return
		}
	}
	m, err := s.layout.Root(r.Context(), d)
	if err != nil {
		s.broken(w, err, "MANIFEST_UNKNOWN")
		return
	}
	header := w.Header()
	header.Set("Content-Type", string(m.MediaType))
	header.Set("Docker-Content-Digest", m.Digest.String())
	header.Set("ETag", `"`+m.Digest.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Body))
	if r.Method == http.MethodGet {
		s.tell(Event{Pulled, repo.named(id), m.Digest, sizeOf(m)})
	}
}

// sizeOf adds up a manifest and the blobs that it names.
func sizeOf(m registry.Manifest) int64 {
	size := int64(len(m.Body))
	if body, err := contentOf(m); err == nil {
		for _, blob := range body.blobs() {
			size += blob.Size
		}
	}
	return size
}

// blob answers with a config or layer, or the requested part of it.
func (s *Server) blob(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	h, ok := digest(w, id)
	if !ok {
		return
	}
	file, err := s.openBlob(r.Context(), repo, h)
	if err != nil {
		s.broken(w, err, "BLOB_UNKNOWN")
		return
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Docker-Content-Digest", h.String())
	header.Set("ETag", `"`+h.String()+`"`)
	if err := s.sendProven(w, r, file, h); err != nil {
		s.broken(w, err, "BLOB_UNKNOWN")
	}
}

// openBlob opens a blob that an image of the repository names, or that was uploaded to it.
func (s *Server) openBlob(ctx context.Context, repo repository, h v1.Hash) (*os.File, error) {
	// A manifest is a blob too; containerd sometimes reads it as one.
	_, err := s.find(ctx, repo, func(t tree) bool { _, ok := t.manifests[h]; return ok || t.blobs[h] })
	if err == nil {
		var file *os.File
		if file, err = s.store.File(h); err == nil {
			return file, nil
		}
	}
	if errors.Is(err, registry.ErrNotFound) {
		if file, uploadedErr := regular.Open(s.uploads.blob(repo.ref.Repository(), h)); uploadedErr == nil {
			return file, nil
		}
	}
	return nil, err
}
