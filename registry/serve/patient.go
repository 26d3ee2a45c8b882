package serve

import (
	"net/http"
	"time"
)

// piece is what a client must read within Options.Patience: about 1 kB a second by default.
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
	if r.ContentLength != 0 { // no handler reads a body, but the connection is read to its end
		_ = control.SetReadDeadline(time.Now().Add(headerTime)) // fails only without a connection, which has no deadlines
	}
	return &patient{w, control, s.options.Patience}
}

func (p *patient) Write(data []byte) (written int, err error) {
	for len(data) > 0 && err == nil {
		n := 0
		_ = p.control.SetWriteDeadline(time.Now().Add(p.patience)) // net/http resets it when the answer is complete
		n, err = p.ResponseWriter.Write(data[:min(len(data), piece)])
		written, data = written+n, data[n:]
	}
	return written, err
}
