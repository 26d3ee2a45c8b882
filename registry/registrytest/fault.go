package registrytest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong on purpose. Method and Path choose the requests; of Status, Drop, Truncate and Hang
// the first one set happens.
type Fault struct {
	// Method is the request's; "" means any.
	Method string
	// Path is a part of the request's path and query; "" means any.
	Path string
	// After lets so many matching requests pass first.
	After int
	// Times is how often it happens: 0 means once, a negative number always.
	Times int

	// Status answers with this HTTP status.
	Status int
	// Code and Message are the registry's own words in the answer; Code "" means UNKNOWN.
	Code, Message string
	// RetryAfter is sent as Retry-After in whole seconds (rounded up) when it is over 0.
	RetryAfter time.Duration
	// Drop closes the connection without an answer. Go's client repeats a GET by itself when the connection had been used
	// before: such a drop takes Times 2 to be seen.
	Drop bool
	// Truncate answers as usual, but closes the connection in the middle of the body.
	Truncate bool
	// Hang never answers, until the client goes away or the server is closed.
	Hang bool
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

// fault takes the next fault that r meets; nil when there is none.
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
		return f
	}
	return nil
}

// strike lets f happen to a request that serve would answer.
func (s *Server) strike(f *Fault, w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
	switch {
	case f.Status != 0:
		if f.RetryAfter > 0 {
			seconds := (f.RetryAfter + time.Second - 1) / time.Second
			w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
		}
		refuse(w, f.Status, f.Code, f.Message)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Truncate:
		serve(&truncating{ResponseWriter: w}, r)
		flush(w)
		panic(http.ErrAbortHandler)
	case f.Hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		panic(http.ErrAbortHandler)
	}
}

// truncating lets half of the body through; the length in the header stays that of the whole.
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
	// An error means that the client is gone, which is what a truncated answer ends with anyway.
	_ = http.NewResponseController(w).Flush()
}
