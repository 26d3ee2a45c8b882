package serve

import (
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// sendProven answers with a file, or the requested part of it, and completes the answer only when the whole file was
// read and has the digest. Otherwise it answers with an error or, once bytes were sent, breaks the connection: a client
// that counts bytes never takes damaged content for complete.
func (s *Server) sendProven(w http.ResponseWriter, r *http.Request, file *os.File, digest v1.Hash) error {
	hash, err := v1.Hasher(digest.Algorithm)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // the whole is a valid answer too, and is read in one pass
	}
	content, held := &onePass{file: file, hash: hash}, &holding{ResponseWriter: w, status: http.StatusOK}
	http.ServeContent(held, r, "", time.Time{}, content)
	if r.Method == http.MethodHead || held.gone() || held.status >= http.StatusMultipleChoices {
		held.release()
		return nil
	}
	err = content.prove(digest)
	switch {
	case err == nil:
		held.release()
	case held.sent:
		panic(http.ErrAbortHandler)
	default:
		clear(w.Header())
	}
	return err
}

// onePass reads a file once from its start, and hashes it. Seeking forward reads what lies between; nothing is read
// twice.
type onePass struct {
	file   *os.File
	hash   hash.Hash
	read   int64
	wanted int64 // where the next Read begins
}

// Seek implements io.Seeker.
func (p *onePass) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.wanted
	case io.SeekEnd:
		info, err := p.file.Stat()
		if err != nil {
			return 0, err
		}
		offset += info.Size()
	}
	p.wanted = offset
	return offset, nil
}

// Read implements io.Reader.
func (p *onePass) Read(data []byte) (int, error) {
	if p.wanted < p.read {
		return 0, fmt.Errorf("reading %q: byte %d is behind", p.file.Name(), p.wanted)
	}
	skipped, err := io.CopyN(p.hash, p.file, p.wanted-p.read)
	p.read += skipped
	if err != nil {
		return 0, err
	}
	n, err := p.file.Read(data)
	_, _ = p.hash.Write(data[:n]) // a hash never fails
	p.read += int64(n)
	p.wanted = p.read
	return n, err
}

// prove reads the rest and compares the digest.
func (p *onePass) prove(want v1.Hash) error {
	if _, err := io.Copy(p.hash, p.file); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", p.hash.Sum(nil)); got != want.Hex {
		return registry.WithKind(fmt.Errorf("reading %q: its digest is %s:%s", p.file.Name(), want.Algorithm, got),
			registry.ErrContent)
	}
	return nil
}

// holding is a ResponseWriter that withholds the last write until it is released, and before that the first part of the
// answer.
type holding struct {
	http.ResponseWriter
	status int
	last   []byte
	sent   bool // something
	err    error
}

func (h *holding) WriteHeader(status int) { h.status = status }

func (h *holding) Write(data []byte) (int, error) {
	if len(h.last) > 0 {
		h.release()
	}
	h.last = append(h.last[:0], data...)
	return len(data), h.err
}

// gone reports whether the client stopped reading.
func (h *holding) gone() bool { return h.err != nil }

func (h *holding) release() {
	if h.err != nil {
		return
	}
	if !h.sent {
		h.ResponseWriter.WriteHeader(h.status)
		h.sent = true
	}
	_, h.err = h.ResponseWriter.Write(h.last)
	h.last = h.last[:0]
}
