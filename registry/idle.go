package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// commitRate is the least speed, in bytes a second, at which the storage behind a registry is expected to take in what it
// was sent before its answer begins.
const commitRate = 4 << 20

// idleError is the end of a request in which nothing moved for so long. It is a net.Error: those who can't ask for it by name
// see that another attempt may do.
type idleError struct {
	after time.Duration
	begun bool // the answer had
}

func (e idleError) Error() string {
	return fmt.Sprintf("nothing moved for %s, the limit of --idle-timeout", e.after)
}
func (idleError) Timeout() bool { return true }

// Temporary is what makes BuildKit ask for a blob again. For an answer that never began containerd has done so already, and
// attempts upon attempts would take a quarter of an hour.
func (e idleError) Temporary() bool { return e.begun }

// LimitIdle is next with the limit that ClientOptions.Idle is for a Client; after may be negative too: no limit.
func LimitIdle(next http.RoundTripper, after time.Duration) http.RoundTripper {
	if after < 0 {
		return next
	}
	return idleLimit{next, after}
}

type idleLimit struct {
	next  http.RoundTripper
	after time.Duration
}

// RoundTrip implements http.RoundTripper.
func (l idleLimit) RoundTrip(r *http.Request) (*http.Response, error) {
	return sendWatched(r, l.after, l.next.RoundTrip)
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	if c.options.Idle < 0 {
		return c.http.Do(r)
	}
	return sendWatched(r, c.options.Idle, c.http.Do)
}

// sendWatched sends r, and ends it once nothing has moved for the idle timeout: while it is sent, until its answer begins, and
// in every wait for more of the answer. The time that the source of a body takes, or the reader of an answer, does not count.
func sendWatched(r *http.Request, idle time.Duration, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watch{idle: idle, cancel: cancel}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &watchedUpload{ReadCloser: r.Body, watch: w, size: r.ContentLength}
	}
	w.begin()
	resp, err := send(r)
	w.answered()
	if err != nil {
		err = explainIdle(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &watchedAnswer{ReadCloser: resp.Body, watch: w, ctx: ctx}
	return resp, nil
}

// explainIdle is the reason of err where it was the watch.
func explainIdle(ctx context.Context, err error) error {
	if idle, ok := errors.AsType[idleError](context.Cause(ctx)); ok {
		return idle
	}
	return err
}

// watch cancels a request when the time that it was last given is over.
type watch struct {
	idle   time.Duration
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer
	answer bool // it has begun: what net/http still does with the request's body does not matter any more
}

func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.idle, func() { w.cancel(idleError{after: w.idle}) })
}

func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = true
	w.timer.Stop()
}

// sending is told before and after net/http reads from the request's body.
func (w *watch) sending(reading bool, more time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.answer:
	case reading:
		w.timer.Stop()
	default:
		w.timer.Reset(w.idle + more)
	}
}

// watchedUpload is the body of a request: what is between two reads is the time that its bytes take on the way.
type watchedUpload struct {
	io.ReadCloser
	watch      *watch
	sent, size int64
}

func (u *watchedUpload) Read(p []byte) (int, error) {
	u.watch.sending(true, 0)
	n, err := u.ReadCloser.Read(p)
	u.sent += int64(n)
	more := time.Duration(0)
	if err != nil || u.sent >= u.size {
		more = time.Duration(u.sent) * time.Second / commitRate
	}
	u.watch.sending(false, more)
	return n, err
}

// watchedAnswer is the body of an answer.
type watchedAnswer struct {
	io.ReadCloser
	watch *watch
	ctx   context.Context //nolint:containedctx // the request's own, to tell why a read ended
}

func (a *watchedAnswer) Read(p []byte) (int, error) {
	a.watch.timer.Reset(a.watch.idle)
	n, err := a.ReadCloser.Read(p)
	a.watch.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = explainIdle(a.ctx, err)
		if idle, ok := err.(idleError); ok { //nolint:errorlint // it is no other's
			idle.begun = true
			err = idle
		}
	}
	return n, err
}

func (a *watchedAnswer) Close() error {
	a.watch.timer.Stop()
	err := a.ReadCloser.Close()
	a.watch.cancel(nil)
	return err
}
