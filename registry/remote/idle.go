package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// commitRate is the lowest speed, in bytes a second, at which a registry's storage is expected to take in an upload
// before it answers.
const commitRate = 4 << 20

// leastRate is the default of Options.MinRate.
const leastRate = 1000

// idleError ends a request in which (almost) nothing moved for that long. It is a net.Error, so that callers who do
// not know the type see that another attempt may help.
type idleError struct {
	after    time.Duration
	answered bool  // response headers arrived
	came     int64 // bytes, where these were too few
}

func (e idleError) Error() string {
	if e.came > 0 {
		return fmt.Sprintf("only %d bytes came in %s", e.came, e.after)
	}
	return fmt.Sprintf("nothing moved for %s", e.after)
}
func (idleError) Timeout() bool { return true }

// Temporary makes BuildKit request a blob again. If the answer never started, containerd has done so already, and
// nested attempts would take a quarter of an hour.
func (e idleError) Temporary() bool { return e.answered }

// line is the limit that the requests of a client share: how long each may stall, and how many bytes per second all
// answers together must bring.
type line struct {
	idle    time.Duration
	rate    int64 // 0: any
	reading atomic.Int64
}

// send sends r, and ends it once nothing has moved for the idle timeout: while it is sent, until its answer begins, and
// in every wait for more of the answer. The time that the source of a body takes, or the reader of an answer, does not
// count.
func (l *line) send(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watch{idle: l.idle, cancel: cancel}
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
	resp.Body = &watchedAnswer{ReadCloser: resp.Body, watch: w, ctx: ctx, line: l}
	return resp, nil
}

// explainIdle returns the watch's error where the watch caused err, else err.
func explainIdle(ctx context.Context, err error) error {
	if idle, ok := errors.AsType[idleError](context.Cause(ctx)); ok {
		return idle
	}
	return err
}

// watch cancels a request when its current time limit is over.
type watch struct {
	idle   time.Duration
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer
	answer bool // its headers arrived, so the upload of the body no longer matters
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

// sending is called before and after net/http reads from the request's body.
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

// watchedUpload is the body of a request. The time between two reads is the time of sending its bytes.
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
	watch  *watch
	ctx    context.Context //nolint:containedctx // the request's own, to tell why a read ended
	line   *line
	waited time.Duration // in reads, since the last check of enough
	came   int64         // bytes, in that time
}

func (a *watchedAnswer) Read(p []byte) (int, error) {
	a.watch.timer.Reset(a.watch.idle)
	a.line.reading.Add(1)
	start := time.Now()
	n, err := a.ReadCloser.Read(p)
	a.waited += time.Since(start)
	a.watch.timer.Stop()
	others := a.line.reading.Add(-1)
	a.came += int64(n)
	switch {
	case err == nil:
		err = a.enough(others + 1)
	case !errors.Is(err, io.EOF):
		err = explainIdle(a.ctx, err)
		if idle, ok := err.(idleError); ok { //nolint:errorlint // never wrapped
			idle.answered = true
			err = idle
		}
	}
	return n, err
}

// enough checks each idle timeout's worth of waiting for bytes, since many answers share the line.
func (a *watchedAnswer) enough(reading int64) error {
	if a.waited < a.line.idle {
		return nil
	}
	came, waited := a.came, a.waited
	a.came, a.waited = 0, 0
	if float64(came*reading) < float64(a.line.rate)*waited.Seconds() {
		return idleError{after: a.line.idle, answered: true, came: came}
	}
	return nil
}

func (a *watchedAnswer) Close() error {
	a.watch.timer.Stop()
	err := a.ReadCloser.Close()
	a.watch.cancel(nil)
	return err
}
