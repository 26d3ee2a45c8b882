package registrytest

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// Fault is a deliberate failure. Method and Path choose the requests; the first of the other fields that is set
// happens.
type Fault struct {
	// Method is the request's; "" matches any.
	Method string
	// Path is a part of the request's path and query; "" matches any.
	Path string
	// After is how many matching requests pass first.
	After int
	// Times is how often it happens: 0 means once, a negative number always.
	Times int

	// Status answers with this HTTP status.
	Status int
	// Code and Message are the registry's own words in the answer; Code "" means UNKNOWN.
	Code, Message string
	// RetryAfter, if positive, is sent as Retry-After in whole seconds, rounded up.
	RetryAfter time.Duration
	// RetryDate sends it as a date.
	RetryDate bool
	// Drop closes the connection without an answer. Go's client repeats a GET itself when the connection had been used
	// before: to be seen, such a drop needs Times 2.
	Drop bool
	// Truncate answers as usual, but closes the connection in the middle of the body; with Reset it resets it there.
	Truncate bool
	// Begun reads only the start of the request body before anything else happens: half of it, and at most 64 kB.
	Begun bool
	// Hang never answers, until the client goes away or the server is closed.
	Hang bool
	// Reset resets the connection (RST) without an answer; Lost does so after the request was carried out.
	Reset, Lost bool
	// Down resets all connections, and refuses new ones until the server is Reset.
	Down bool
	// Expire revokes all tokens that a request has used, and then answers.
	Expire bool
	// LoseUpload forgets all open uploads, and then answers.
	LoseUpload bool
	// Move points the tag at the end of the path to the content of this other tag of its repository, and then answers:
	// what another client may do at that moment.
	Move string
	// Forget answers as if the manifest or blob had been stored, and does not store it.
	Forget bool
	// Redirect answers 307 with the same path at this address, as in "http://127.0.0.1:5000".
	Redirect string
	// Twist changes the answer on its way.
	Twist *Twist
}

// Twist changes an answer.
type Twist struct {
	// Corrupt flips a bit of the body.
	Corrupt bool
	// Short sends the first half of the body as if it were complete.
	Short bool
	// Digest is sent as Docker-Content-Digest.
	Digest string
	// Length is added to Content-Length; the body is cut where it becomes too long.
	Length int
	// Slow is the wait before each eighth of the body.
	Slow time.Duration
	// Drip is the wait before each byte of the body.
	Drip time.Duration
	// Stall sends half of the body and then nothing, until the client goes away.
	Stall bool
}

// Fault adds f; several faults are tried in the order in which they were added.
func (s *Server) Fault(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Chaos calls f for every request that meets no other fault, and applies the fault that it returns; nil is none. Reset
// keeps it.
func (s *Server) Chaos(f func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = f
}

// fault returns the next fault that r meets; nil when there is none.
func (s *Server) fault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Times == 0 || (f.Method != "" && f.Method != r.Method) || !strings.Contains(r.URL.RequestURI(), f.Path) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		f.Times--
		s.struck++
		return f
	}
	if s.chaos != nil {
		return s.chaos(r)
	}
	return nil
}

// strike applies f to a request that serve would answer.
func (s *Server) strike(f *Fault, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	if f.Begun {
		_, _ = io.CopyN(io.Discard, r.Body, min(r.ContentLength/2, 64<<10))
	}
	switch {
	case f.Status != 0:
		if f.RetryAfter > 0 {
			seconds := (f.RetryAfter + time.Second - 1) / time.Second
			w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
			if f.RetryDate {
				w.Header().Set("Retry-After", time.Now().Add(seconds*time.Second).UTC().Format(http.TimeFormat))
			}
		}
		refuse(w, f.Status, f.Code, f.Message)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Truncate:
		serve(&truncating{ResponseWriter: w}, r)
		flush(w)
		if f.Reset {
			breakOff(w)
			return
		}
		panic(http.ErrAbortHandler)
	case f.Hang && f.Begun:
		s.stop()
	case f.Hang:
		s.hang(r)
	case f.Down:
		s.down()
	case f.Reset:
		breakOff(w)
	case f.Lost:
		serve(httptest.NewRecorder(), r)
		breakOff(w)
	case f.Redirect != "":
		w.Header().Set("Location", f.Redirect+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	case f.Twist != nil:
		s.twist(f.Twist, w, r, serve)
	default:
		s.lapse(f, w, r, serve)
	}
}

// lapse answers as usual, and loses something before or after.
func (s *Server) lapse(f *Fault, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	s.mu.Lock()
	if f.Expire {
		maps.DeleteFunc(s.tokens, func(token string, _ grant) bool { return s.used[token] })
	}
	if f.LoseUpload {
		clear(s.uploads)
	}
	if repo, kind, tag := split(strings.TrimPrefix(r.URL.Path, "/v2/")); f.Move != "" && kind == "manifests" {
		s.repository(repo).tags[tag] = s.repository(repo).tags[f.Move]
	}
	s.mu.Unlock()
	serve(w, r)
	if !f.Forget {
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/v2/")
	repo, kind, name := split(rest)
	if kind == "uploads" {
		name = r.URL.Query().Get("digest")
	}
	digest, byDigest := parseDigest(name)
	if !byDigest {
		digest, _ = s.Tag(repo, name)
	}
	s.Remove(repo, digest)
}

// twist records the answer first, so that all of it can be changed.
func (s *Server) twist(t *Twist, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	rec := httptest.NewRecorder()
	serve(rec, r)
	maps.Copy(w.Header(), rec.Header())
	body := rec.Body.Bytes()
	if t.Corrupt && len(body) > 0 {
		body = flip(body)
	}
	if t.Short {
		body = body[:len(body)/2]
	}
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(max(len(body)+t.Length, 0)))
	}
	if t.Digest != "" {
		w.Header().Set("Docker-Content-Digest", t.Digest)
	}
	w.WriteHeader(rec.Code)
	if t.Length < 0 {
		body = body[:max(len(body)+t.Length, 0)]
	}
	// An answer without a body is complete: a client sends its next request and notices no stall.
	stall := t.Stall && len(body) > 0 && r.Method != http.MethodHead
	pieces, pause := 8, t.Slow
	if stall {
		body = body[:len(body)/2]
	}
	if t.Drip > 0 {
		pieces, pause = len(body), t.Drip
	}
	for i := range pieces {
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces]) // an error means that the client is gone
		flush(w)
	}
	if stall {
		s.hang(r)
	}
}

// hang waits until the client goes away, which net/http notices only when the request has been read to its end.
func (s *Server) hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}

// stop waits without reading the request, and so never notices that the client is gone: it does not wait long.
func (s *Server) stop() {
	select {
	case <-time.After(3 * time.Second):
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}

// breakOff resets the connection where it can (HTTP/1).
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// truncating passes half of the body on; the length in the header stays that of the whole.
type truncating struct {
	http.ResponseWriter
	left    int
	started bool
}

func (t *truncating) WriteHeader(status int) {
	t.begin()
	t.ResponseWriter.WriteHeader(status)
}

func (t *truncating) begin() {
	if !t.started {
		length, _ := strconv.Atoi(t.Header().Get("Content-Length"))
		t.started, t.left = true, length/2
	}
}

func (t *truncating) Write(p []byte) (int, error) {
	t.begin()
	pass := min(len(p), t.left)
	t.left -= pass
	if _, err := t.ResponseWriter.Write(p[:pass]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func flush(w http.ResponseWriter) {
	// An error means that the client is gone, which is how a truncated answer ends anyway.
	_ = http.NewResponseController(w).Flush()
}
