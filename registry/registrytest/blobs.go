package registrytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// upload is an open upload with the bytes received so far.
type upload struct {
	repo string
	data []byte
}

func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request, repo, name string) {
	digest, ok := parseDigest(name)
	if !ok {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", name)
		return
	}
	s.mu.Lock()
	data, ok := s.repository(repo).blobs[digest]
	s.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry: "+name)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("Docker-Content-Digest", name)
		w.Header().Set("Content-Type", "application/octet-stream")
		if s.options.NoRange {
			r.Header.Del("Range")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	case http.MethodDelete:
		s.mu.Lock()
		delete(s.repository(repo).blobs, digest)
		s.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", r.Method)
	}
}

func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request, repo, id string) {
	// Read the body first, since a client that gets an early response may drop the connection.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		s.startUpload(w, r, repo, body)
		return
	}
	u, ok := s.uploads[id]
	if !ok || u.repo != repo {
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry: "+id)
		return
	}
	switch r.Method {
	case http.MethodPatch:
		s.patchUpload(w, r, id, body)
	case http.MethodPut:
		if s.options.Chunked && len(body) > 0 {
			refuse(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID", "too large for one request")
			return
		}
		u.data = append(u.data, body...)
		delete(s.uploads, id)
		s.finishUpload(w, repo, r.URL.Query().Get("digest"), u.data)
	case http.MethodGet:
		s.respondUpload(w, id, http.StatusNoContent)
	case http.MethodDelete:
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", r.Method)
	}
}

// startUpload mounts a blob if the request asks for it, stores a whole blob with ?digest=, and else opens an upload.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
func (s *Server) startUpload(w http.ResponseWriter, r *http.Request, repo string, body []byte) {
	query := r.URL.Query()
	if s.mount(w, r, repo) {
		return
	}
	if digest := query.Get("digest"); digest != "" {
		s.finishUpload(w, repo, digest, body)
		return
	}
	s.serial++
	id := fmt.Sprintf("upload-%d", s.serial)
	s.uploads[id] = &upload{repo: repo}
	s.respondUpload(w, id, http.StatusAccepted)
}

func (s *Server) mount(w http.ResponseWriter, r *http.Request, repo string) bool {
	digest, ok := parseDigest(r.URL.Query().Get("mount"))
	from := r.URL.Query().Get("from")
	if !ok || s.options.NoMount || !s.granted(r, from, "pull") {
		return false
	}
	data, ok := s.repository(from).blobs[digest]
	if ok {
		s.repository(repo).blobs[digest] = data
		created(w, repo, digest)
	}
	return ok
}

func (s *Server) patchUpload(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	u := s.uploads[id]
	if start, _, ok := strings.Cut(r.Header.Get("Content-Range"), "-"); ok && start != strconv.Itoa(len(u.data)) {
		s.respondUpload(w, id, http.StatusRequestedRangeNotSatisfiable)
		return
	}
	u.data = append(u.data, body...)
	s.respondUpload(w, id, http.StatusAccepted)
}

func (s *Server) respondUpload(w http.ResponseWriter, id string, status int) {
	u := s.uploads[id]
	// Real registries put a state into the query. A client must keep it when it adds the digest.
	w.Header().Set("Location", "/v2/"+u.repo+"/blobs/uploads/"+id+"?_state=x")
	w.Header().Set("Docker-Upload-UUID", id)
	w.Header().Set("Range", "0-"+strconv.Itoa(max(len(u.data)-1, 0)))
	w.WriteHeader(status)
}

func (s *Server) finishUpload(w http.ResponseWriter, repo, want string, data []byte) {
	digest, ok := parseDigest(want)
	if got := Hash(data); !ok || got != digest {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", fmt.Sprintf("the content's digest is %s, not %q", got, want))
		return
	}
	s.repository(repo).blobs[digest] = data
	s.repository(repo).finished[digest]++
	created(w, repo, digest)
}

func created(w http.ResponseWriter, repo string, digest v1.Hash) {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+digest.String())
	w.Header().Set("Docker-Content-Digest", digest.String())
	w.WriteHeader(http.StatusCreated)
}
