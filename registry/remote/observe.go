package remote

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Exchange is one request and its answer, as they went over the line: each redirect and each attempt is one of its own.
// It holds no secrets: what headers and queries say is left out, save for those that are known to be harmless.
type Exchange struct {
	Started     time.Time
	Method, URL string
	Proto       string // of the answer: "HTTP/2.0"
	Address     string // what was connected to
	Reused      bool   // the connection had served another request
	Status      int    // 0: there was no answer
	Err         string // why, or why the answer was cut off; "" if neither
	Request     http.Header
	Response    http.Header
	// Sent and Received are the bytes of the bodies.
	Sent, Received int64
	// DNS, Connect and TLS are what a new connection took; Send, Wait and Receive are the rest. They are parts of Took.
	DNS, Connect, TLS, Send, Wait, Receive, Took time.Duration
}

// observed returns next with see called after every exchange; next itself if see is nil.
func observed(next http.RoundTripper, see func(Exchange)) http.RoundTripper {
	if see == nil {
		return next
	}
	return observer{next, see}
}

type observer struct {
	next http.RoundTripper
	see  func(Exchange)
}

// RoundTrip implements http.RoundTripper.
func (o observer) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &exchange{see: o.see, Exchange: Exchange{
		Started: time.Now(), Method: r.Method, URL: plainURL(r.URL), Request: plainHeader(r.Header),
	}}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), w.trace()))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &observedBody{ReadCloser: r.Body, read: w.sent}
	}
	resp, err := o.next.RoundTrip(r)
	if err != nil {
		w.end(err)
		return nil, err
	}
	w.answered(resp)
	if r.Method == http.MethodHead || resp.ContentLength == 0 {
		w.end(nil)
	} else {
		resp.Body = &observedBody{ReadCloser: resp.Body, read: w.received, end: w.end}
	}
	return resp, nil
}

// exchange is one that is under way. net/http calls its parts from several goroutines, and some after the end.
type exchange struct {
	see func(Exchange)

	mu sync.Mutex
	Exchange
	got, dns, connect, shake, wrote, first time.Time // when each of them began or was done; zero: it was not
	over                                   bool
}

// at runs f unless the exchange is over.
func (w *exchange) at(f func(now time.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		f(time.Now())
	}
}

func (w *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { w.at(func(now time.Time) { w.dns = now }) },
		DNSDone:           func(httptrace.DNSDoneInfo) { w.at(func(now time.Time) { w.DNS = now.Sub(w.dns) }) },
		ConnectStart:      func(_, _ string) { w.at(func(now time.Time) { w.connect = now }) },
		ConnectDone:       func(_, _ string, _ error) { w.at(func(now time.Time) { w.Connect = now.Sub(w.connect) }) },
		TLSHandshakeStart: func() { w.at(func(now time.Time) { w.shake = now }) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { w.at(func(now time.Time) { w.TLS = now.Sub(w.shake) }) },
		GotConn: func(i httptrace.GotConnInfo) {
			w.at(func(now time.Time) { w.got, w.Reused, w.Address = now, i.Reused, i.Conn.RemoteAddr().String() })
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.at(func(now time.Time) { w.wrote = now }) },
		GotFirstResponseByte: func() { w.at(func(now time.Time) { w.first = now }) },
	}
}

func (w *exchange) sent(n int64)     { w.at(func(time.Time) { w.Sent += n }) }
func (w *exchange) received(n int64) { w.at(func(time.Time) { w.Received += n }) }

func (w *exchange) answered(resp *http.Response) {
	w.at(func(time.Time) { w.Status, w.Proto, w.Response = resp.StatusCode, resp.Proto, plainHeader(resp.Header) })
}

// end records the end of the answer, or why there is none.
func (w *exchange) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.over = true
	now := time.Now()
	w.Took = now.Sub(w.Started)
	w.Send, w.Wait, w.Receive = between(w.got, w.wrote), between(w.wrote, w.first), between(w.first, now)
	if err != nil {
		w.Err = withoutSecrets(err.Error())
	}
	w.see(w.Exchange)
}

func between(from, to time.Time) time.Duration {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return to.Sub(from)
}

// observedBody counts what is read, and reports the end, whether by reading or by closing.
type observedBody struct {
	io.ReadCloser
	read func(int64)
	end  func(error) // may be nil
}

func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.read(int64(n))
	}
	if err != nil && b.end != nil {
		b.end(notEOF(err))
	}
	return n, err
}

func (b *observedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.end != nil {
		b.end(nil)
	}
	return err
}

func notEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // as io.Reader wants it compared
		return nil
	}
	return err
}
