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

// Fault is a deliberate failure. Method and Path select the requests. Of the other fields, the first that is set
// applies.
type Fault struct {
	// Method is the request's; "" matches any.
	Method string
	// Path is a part of the request's path and query; "" matches any.
	Path string
	// After is how many matching requests pass first.
	After int
	// Times is how often the fault happens: 0 means once, a negative number always.
	Times int

	// Status is sent as the HTTP status.
	Status int
	// Code and Message are the error in the response's body; Code "" means UNKNOWN.
	Code, Message string
	// RetryAfter, if positive, is sent as Retry-After in whole seconds, rounded up.
	RetryAfter time.Duration
	// RetryDate sends Retry-After as a date.
	RetryDate bool
	// Drop closes the connection without a response. Go's client itself repeats a GET on a connection that was used
	// before, so a test needs Times 2 to see the error.
	Drop bool
	// Truncate closes the connection in the middle of the response's body, or resets it there if Reset is set.
	Truncate bool
	// PartialRead reads only the start of the request's body, half of it and at most 64 KiB, before the fault applies.
	PartialRead bool
	// Hang sends no response until the client disconnects or the server is closed.
	Hang bool
	// Reset resets the connection (RST) without a response. LoseResponse does so after serving the request.
	Reset, LoseResponse bool
	// Down resets all connections, and refuses new ones until Server.Reset or Server.ClearFaults.
	Down bool
	// Expire revokes all tokens that a request has used, and then serves the request.
	Expire bool
	// LoseUpload forgets all open uploads, and then serves the request.
	LoseUpload bool
	// Move sets the tag at the end of the path to the digest of this other tag, as another client may do at that
	// moment, and then serves the request.
	Move string
	// Forget responds as if the manifest or blob had been stored, but does not store it.
	Forget bool
	// Redirect sends a 307 to the same path at this address, such as "http://127.0.0.1:5000".
	Redirect string
	// Response changes the response.
	Response *Response
}

// Response describes changes of a response.
type Response struct {
	// Corrupt flips a bit of the body.
	Corrupt bool
	// Short sends the first half of the body as the whole.
	Short bool
	// Digest is sent as Docker-Content-Digest.
	Digest string
	// Length is added to Content-Length. A negative one truncates the body too.
	Length int
	// Slow is the wait before each eighth of the body.
	Slow time.Duration
	// Drip is the wait before each byte of the body.
	Drip time.Duration
	// Stall sends half of the body and then nothing until the client disconnects.
	Stall bool
}

// Fault adds f. Several faults are matched in the order in which they were added.
func (s *Server) Fault(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Chaos calls f for every request that matches no other fault, and applies the fault that it returns, unless that is
// nil. Reset keeps f.
func (s *Server) Chaos(f func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = f
}

// fault returns the fault for r, or nil.
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
		s.faultCount++
		return f
	}
	if s.chaos != nil {
		return s.chaos(r)
	}
	return nil
}

// applyFault applies f to a request for serve.
func (s *Server) applyFault(f *Fault, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	if f.PartialRead {
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
		serve(&truncatedWriter{ResponseWriter: w}, r)
		flush(w)
		if f.Reset {
			resetConn(w)
			return
		}
		panic(http.ErrAbortHandler)
	case f.Hang && f.PartialRead:
		s.hangUnread()
	case f.Hang:
		s.hang(r)
	case f.Down:
		s.down()
	case f.Reset:
		resetConn(w)
	case f.LoseResponse:
		serve(httptest.NewRecorder(), r)
		resetConn(w)
	case f.Redirect != "":
		w.Header().Set("Location", f.Redirect+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	case f.Response != nil:
		s.serveChanged(f.Response, w, r, serve)
	default:
		s.serveWithLoss(f, w, r, serve)
	}
}

// serveWithLoss serves a request and, before or after it, changes the registry's state as f says.
func (s *Server) serveWithLoss(f *Fault, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
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

// serveChanged records the whole response, changes it as c says, and sends it.
func (s *Server) serveChanged(c *Response, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	rec := httptest.NewRecorder()
	serve(rec, r)
	maps.Copy(w.Header(), rec.Header())
	body := rec.Body.Bytes()
	if c.Corrupt && len(body) > 0 {
		body = flip(body)
	}
	if c.Short {
		body = body[:len(body)/2]
	}
	if r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(max(len(body)+c.Length, 0)))
	}
	if c.Digest != "" {
		w.Header().Set("Docker-Content-Digest", c.Digest)
	}
	w.WriteHeader(rec.Code)
	if c.Length < 0 {
		body = body[:max(len(body)+c.Length, 0)]
	}
	// A response without a body can't stall: the client has it all.
	stall := c.Stall && len(body) > 0 && r.Method != http.MethodHead
	pieces, pause := 8, c.Slow
	if stall {
		body = body[:len(body)/2]
	}
	if c.Drip > 0 {
		pieces, pause = len(body), c.Drip
	}
	for i := range pieces {
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		}
		_, _ = w.Write(body[len(body)*i/pieces : len(body)*(i+1)/pieces]) // an error means that the client has disconnected
		flush(w)
	}
	if stall {
		s.hang(r)
	}
}

// hang waits until the client disconnects, which net/http notices only after the whole request was read.
func (s *Server) hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-r.Context().Done():
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}

// hangUnread hangs without reading the request. It can't notice that the client disconnects, so it waits 3 seconds.
func (s *Server) hangUnread() {
	select {
	case <-time.After(3 * time.Second):
	case <-s.closed:
	}
	panic(http.ErrAbortHandler)
}

// resetConn resets the connection of an HTTP/1 request, and aborts the stream of others.
func resetConn(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// truncatedWriter writes the first half of the body. Content-Length stays that of the whole.
type truncatedWriter struct {
	http.ResponseWriter
	left    int
	started bool
}

func (t *truncatedWriter) WriteHeader(status int) {
	t.start()
	t.ResponseWriter.WriteHeader(status)
}

func (t *truncatedWriter) start() {
	if !t.started {
		length, _ := strconv.Atoi(t.Header().Get("Content-Length"))
		t.started, t.left = true, length/2
	}
}

func (t *truncatedWriter) Write(p []byte) (int, error) {
	t.start()
	pass := min(len(p), t.left)
	t.left -= pass
	if _, err := t.ResponseWriter.Write(p[:pass]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func flush(w http.ResponseWriter) {
	// An error means that the client has disconnected.
	_ = http.NewResponseController(w).Flush()
}
