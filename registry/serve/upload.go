package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// upload answers requests about uploads:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
func (s *Server) upload(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	key := repo.ref.Repository()
	if r.Method == http.MethodPost && id == "" {
		s.beginUpload(w, r, repo)
		return
	}
	up, ok := s.uploads.find(key, id)
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "no such upload, or it has ended")
		return
	}
	if r.Method == http.MethodGet {
		uploadAnswer(w, repo, up, http.StatusNoContent)
		return
	}
	if !s.take(r.Context(), up) {
		refuse(w, http.StatusConflict, "BLOB_UPLOAD_INVALID", "another request sends to this upload")
		return
	}
	defer func() { <-up.busy }()
	if _, ok := s.uploads.find(key, id); !ok { // the request before this one has ended it
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "the upload has ended")
		return
	}
	switch r.Method {
	case http.MethodPatch:
		if s.receive(w, r, repo, up) {
			uploadAnswer(w, repo, up, http.StatusAccepted)
		}
	case http.MethodPut:
		s.finishUpload(w, r, repo, up)
	case http.MethodDelete:
		if err := s.uploads.drop(up); err != nil {
			s.broken(w, err, "BLOB_UPLOAD_UNKNOWN")
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		notAllowed(w, "no such request", http.MethodGet, http.MethodPatch, http.MethodPut, http.MethodDelete)
	}
}

// take waits until no other request sends to the upload. A broken connection may be noticed late.
func (s *Server) take(ctx context.Context, up *upload) bool {
	select {
	case up.busy <- struct{}{}:
		return true
	case <-time.After(s.options.Patience):
	case <-ctx.Done():
	}
	return false
}

// beginUpload mounts a blob where that is asked for and possible, takes a whole blob with ?digest=, and otherwise opens
// an upload.
func (s *Server) beginUpload(w http.ResponseWriter, r *http.Request, repo repository) {
	up, err := s.uploads.begin(r.Context(), s.store, repo.ref.Repository())
	if errors.Is(err, errTooMany) {
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", err.Error())
		return
	}
	if err != nil {
		s.broken(w, err, "BLOB_UPLOAD_INVALID")
		return
	}
	query := r.URL.Query()
	switch {
	case s.mount(r.Context(), repo, query.Get("mount"), query.Get("from")):
		_ = s.uploads.drop(up) // it has no file yet
		h, _ := v1.NewHash(query.Get("mount"))
		created(w, repo, "blobs", h)
	case query.Has("digest"):
		up.busy <- struct{}{}
		s.finishUpload(w, r, repo, up)
		_ = s.uploads.drop(up) // no client knows its name
	default:
		uploadAnswer(w, repo, up, http.StatusAccepted)
	}
}

// mount adds a blob of another repository to this one, and reports whether it did.
func (s *Server) mount(ctx context.Context, repo repository, digest, from string) bool {
	h, err := v1.NewHash(digest)
	if err != nil || !repoName().MatchString(from) {
		return false
	}
	source, err := s.repository(ctx, from)
	if err != nil {
		return false
	}
	file, err := s.openBlob(ctx, source, h)
	if err != nil {
		return false
	}
	defer file.Close()
	return s.uploads.adopt(repo.ref.Repository(), h, file.Name(), os.Link) == nil
}

// receive appends the request's body to the upload, and answers when it can't.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, repo repository, up *upload) bool {
	if !inOrder(r, up.received.Load()) {
		uploadAnswer(w, repo, up, http.StatusRequestedRangeNotSatisfiable)
		return false
	}
	var err error
	if most := s.options.MaxBlob; most > 0 && r.ContentLength > most-up.received.Load() {
		err = errLong
	} else {
		ctx, task := registry.Begin(r.Context(), registry.Work{Doing: "receiving", Name: repo.ref.Name(), Size: r.ContentLength})
		err = up.receive(registry.Counted(ctx, io.NopCloser(s.body(w, r))), most)
		task.End(registry.Copied, err)
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, errSent):
		refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
		return false
	}
	err = errors.Join(store.DiskFull(err, s.store.Dir(), max(0, r.ContentLength)), s.uploads.drop(up))
	if errors.Is(err, errLong) {
		refuse(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID", fmt.Sprintf("this registry takes blobs up to %d bytes", s.options.MaxBlob))
		return false
	}
	s.broken(w, err, "BLOB_UPLOAD_INVALID")
	return false
}

// inOrder reports whether a chunk begins where the upload ends. A request without Content-Range does.
func inOrder(r *http.Request, received int64) bool {
	header := r.Header.Get("Content-Range")
	if header == "" {
		return true
	}
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes "), "-")
	from, err := strconv.ParseInt(first, 10, 64)
	to, lastErr := strconv.ParseInt(last, 10, 64)
	return ok && err == nil && lastErr == nil && from == received && (r.ContentLength < 0 || to-from+1 == r.ContentLength)
}

// finishUpload takes what is left of the blob, and compares the digest.
func (s *Server) finishUpload(w http.ResponseWriter, r *http.Request, repo repository, up *upload) {
	h, ok := digest(w, r.URL.Query().Get("digest"))
	if !ok || !s.receive(w, r, repo, up) {
		return
	}
	got, err := up.digest(h)
	if err == nil && got == h {
		err = s.uploads.adopt(repo.ref.Repository(), h, up.file, os.Rename)
	}
	if err = errors.Join(err, s.uploads.drop(up)); err != nil {
		s.broken(w, err, "BLOB_UPLOAD_INVALID")
		return
	}
	if got != h {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("the digest of what arrived is %s, not %s", got, h))
		return
	}
	created(w, repo, "blobs", h)
}

// uploadAnswer answers with where the upload continues, and what has arrived.
func uploadAnswer(w http.ResponseWriter, repo repository, up *upload, status int) {
	header := w.Header()
	header.Set("Location", "/v2/"+repo.name+"/blobs/uploads/"+up.id)
	header.Set("Docker-Upload-UUID", up.id)
	header.Set("Range", fmt.Sprintf("0-%d", max(up.received.Load()-1, 0)))
	if status == http.StatusRequestedRangeNotSatisfiable {
		refuse(w, status, "BLOB_UPLOAD_INVALID", fmt.Sprintf("the next byte of this upload is %d", up.received.Load()))
		return
	}
	w.WriteHeader(status)
}

func created(w http.ResponseWriter, repo repository, kind string, h v1.Hash) {
	w.Header().Set("Location", "/v2/"+repo.name+"/"+kind+"/"+h.String())
	w.Header().Set("Docker-Content-Digest", h.String())
	w.WriteHeader(http.StatusCreated)
}

// deleteBlob deletes a blob that no manifest names.
func (s *Server) deleteBlob(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	h, ok := digest(w, id)
	if !ok {
		return
	}
	_, err := s.find(r.Context(), repo, func(t tree) bool { return t.blobs[h] })
	path := s.uploads.blob(repo.ref.Repository(), h)
	switch _, missing := os.Lstat(path); {
	case err == nil:
		notAllowed(w, "an image uses this blob: delete the image first", http.MethodGet, http.MethodHead)
	case !errors.Is(err, registry.ErrNotFound):
		s.broken(w, err, "BLOB_UNKNOWN")
	case missing != nil:
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "no such blob")
	default:
		if err := registry.RemoveFile(path); err != nil {
			s.broken(w, err, "BLOB_UNKNOWN")
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}
}

// body returns the body of a request, which has to arrive as Options.Patience says.
func (s *Server) body(w http.ResponseWriter, r *http.Request) io.Reader {
	return &arriving{body: r.Body, control: http.NewResponseController(w), patience: s.options.Patience}
}
