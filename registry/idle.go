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

// idleError is the end of a request in which nothing moved for so long.
type idleError struct{ after time.Duration }

func (e idleError) Error() string {
	return fmt.Sprintf("nothing moved for %s, the limit of --idle-timeout", e.after)
}

// do sends r, and ends it once nothing has moved for the idle timeout: while it is sent, until its answer begins, and in
// every wait for more of the answer. The time that the source of a body takes, or the reader of an answer, does not count.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	if c.options.Idle < 0 {
		return c.http.Do(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watch{idle: c.options.Idle, cancel: cancel}
	r = r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &watchedUpload{ReadCloser: r.Body, watch: w, size: r.ContentLength}
	}
	w.begin()
	resp, err := c.http.Do(r)
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
	w.timer = time.AfterFunc(w.idle, func() { w.cancel(idleError{w.idle}) })
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
	}
	return n, err
}

func (a *watchedAnswer) Close() error {
	a.watch.timer.Stop()
	err := a.ReadCloser.Close()
	a.watch.cancel(nil)
	return err
}
