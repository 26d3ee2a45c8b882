package serve

import (
	"io"
	"net/http"
	"time"
)

// piece is what a client must read, or send, within Options.Patience: about 1 kB a second by default.
const piece = 32 << 10

// patient is a ResponseWriter that waits for slow clients and drops those that nearly stall, which would hold their
// connections and files for ever.
type patient struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

func (s *Server) patient(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	control := http.NewResponseController(w)
	if r.ContentLength != 0 { // the connection is read to the body's end, also where no handler reads it
		_ = control.SetReadDeadline(time.Now().Add(headerTime)) // fails only without a connection, which has no deadlines
	}
	return &patient{w, control, s.options.Patience}
}

// Unwrap is for http.NewResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patient) Write(data []byte) (written int, err error) {
	for len(data) > 0 && err == nil {
		n := 0
		_ = p.control.SetWriteDeadline(time.Now().Add(p.patience)) // net/http resets it when the answer is complete
		n, err = p.ResponseWriter.Write(data[:min(len(data), piece)])
		written, data = written+n, data[n:]
	}
	return written, err
}

// arriving is the body of a request whose client must not stall.
type arriving struct {
	body     io.Reader
	control  *http.ResponseController
	patience time.Duration
	left     int // of the piece that has to arrive until the deadline
}

func (a *arriving) Read(data []byte) (int, error) {
	if a.left <= 0 {
		a.left = piece
		_ = a.control.SetReadDeadline(time.Now().Add(a.patience))
	}
	n, err := a.body.Read(data[:min(len(data), piece)])
	a.left -= n
	if err == io.EOF {
		_ = a.control.SetReadDeadline(time.Time{}) // the server goes on reading, to notice a client that goes away
	}
	return n, err
}
