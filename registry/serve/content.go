package serve

import (
	"bytes"
	"net/http"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
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
		t, err := s.find(r.Context(), repo, func(t tree) bool { _, ok := t.manifests[h]; return ok })
		if err != nil {
			s.broken(w, err, "MANIFEST_UNKNOWN")
			return
		}
		d = t.manifests[h]
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
}

// blob answers with a config or layer, or the requested part of it.
func (s *Server) blob(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	h, ok := digest(w, id)
	if !ok {
		return
	}
	// A manifest is a blob too; containerd sometimes reads it as one.
	_, err := s.find(r.Context(), repo, func(t tree) bool { _, ok := t.manifests[h]; return ok || t.blobs[h] })
	if err != nil {
		s.broken(w, err, "BLOB_UNKNOWN")
		return
	}
	file, err := s.store.File(h)
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
