package registry

import (
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// The waits of Persistent: the first, which doubles each time, the last before it gives up, and the longest that a registry
// may ask for. Those whose requests these are have attempts of their own beyond them.
const (
	firstPause   = 100 * time.Millisecond
	lastPause    = 400 * time.Millisecond
	longestPause = 10 * time.Second
)

// Persistent is next, and sends a request that only reads up to three times more where the connection broke off before the
// answer, or the answer says that the server is out of order for the moment. BuildKit does so for the content of an image, and
// not when it looks the image up.
func Persistent(next http.RoundTripper) http.RoundTripper { return persistent{next} }

type persistent struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p persistent) RoundTrip(r *http.Request) (*http.Response, error) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	for pause := firstPause; ; pause *= 2 {
		resp, err := p.next.RoundTrip(r)
		again := err == nil && transient(resp.StatusCode) || BrokeOff(err)
		if !reads || !again || pause > lastPause {
			return resp, err
		}
		wait := pause
		if err == nil {
			wait = max(pause, min(retryAfter(resp.Header, time.Now()), longestPause))
			drain(resp.Body)
		}
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// BrokeOff reports whether err is the end of a connection at which the other side was.
func BrokeOff(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
