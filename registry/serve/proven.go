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

// sendProven answers with a file, or the part of it that is asked for, and completes the answer only when the whole file was
// read and found to have the digest. Otherwise it is an error or, where bytes are on their way already, a connection that
// breaks off: nobody who counts bytes takes what is damaged for the whole.
func (s *Server) sendProven(w http.ResponseWriter, r *http.Request, file *os.File, digest v1.Hash) error {
	hash, err := v1.Hasher(digest.Algorithm)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // the whole is an answer too, and is read in one go
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
	case held.begun:
		panic(http.ErrAbortHandler)
	default:
		clear(w.Header())
	}
	return err
}

// onePass reads a file from its beginning on, once, and hashes it. What is sought behind is read too; nothing is read twice.
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

// prove reads what is left and compares the digest.
func (p *onePass) prove(want v1.Hash) error {
	if _, err := io.Copy(p.hash, p.file); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", p.hash.Sum(nil)); got != want.Hex {
		return fmt.Errorf("reading %q: its digest is %s:%s: %w", p.file.Name(), want.Algorithm, got, registry.ErrContent)
	}
	return nil
}

// holding is a ResponseWriter that keeps the last write back until it is released, and all of the answer's beginning before.
type holding struct {
	http.ResponseWriter
	status int
	last   []byte
	begun  bool // something was sent
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

// gone reports that nobody takes the answer any more.
func (h *holding) gone() bool { return h.err != nil }

func (h *holding) release() {
	if h.err != nil {
		return
	}
	if !h.begun {
		h.ResponseWriter.WriteHeader(h.status)
		h.begun = true
	}
	_, h.err = h.ResponseWriter.Write(h.last)
	h.last = h.last[:0]
}
