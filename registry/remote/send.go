package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mtool/registry"
)

// errOtherScheme means that the guess of plain HTTP was wrong and has been dropped; send again.
var errOtherScheme = errors.New("scheme changed")

// send answers q with one of the wanted statuses, or an *Error. It gets the token that q needs, and sends q again if
// the host requires another one; it does not retry otherwise. The caller closes the body.
func (h *host) send(ctx context.Context, q request) (*http.Response, error) {
	met, err := h.meet(ctx)
	if err != nil {
		return nil, h.failure(q).interrupted(ctx)
	}
	defer met()
	// At most: unasked, wrong scheme, an expired token, the token of all repositories, the token of this one.
	for left := 5; ; left-- {
		g, err := h.authorize(ctx, q)
		if err != nil {
			return nil, err
		}
		resp, err := h.exchange(ctx, q, g)
		switch {
		case errors.Is(err, errOtherScheme) && left > 0:
			continue
		case err != nil:
			return nil, err
		}
		if g.token != nil && resp.StatusCode < 400 {
			g.token.good.Store(true)
		}
		if left == 0 || !h.session.retryWith(resp, q.scopes, g) {
			return h.check(resp, q, g)
		}
		drain(resp.Body)
	}
}

// exchange sends q once. The body is opened before a slot is taken: opening it may need a slot of its own.
func (h *host) exchange(ctx context.Context, q request, g grant) (*http.Response, error) {
	r, body, err := h.build(ctx, q, g)
	if err != nil {
		return nil, err
	}
	if err := h.acquire(ctx); err != nil {
		closeBody(r.Body)
		return nil, h.failure(q).interrupted(ctx)
	}
	_, waiting := registry.Begin(ctx, registry.Work{Doing: q.doing, Name: q.ref.String()})
	resp, err, over := h.ask(r)
	waiting.End(registry.Present, err)
	h.release()
	if cause := body.failure(); cause != nil && ctx.Err() == nil {
		if err == nil {
			drain(resp.Body)
		}
		return nil, cause
	}
	if r.URL.Scheme == "http" && answersTLS(resp, err) {
		if err == nil {
			drain(resp.Body)
		}
		if err = errSpeaksTLS; h.guessed {
			h.plain.Store(false)
			h.client.explain("%s speaks TLS", h.name)
			return nil, errOtherScheme
		}
	}
	if err != nil {
		e := h.failure(q).broke(ctx, h.name, err)
		e.over = over
		return nil, e
	}
	return resp, nil
}

func (h *host) build(ctx context.Context, q request, g grant) (*http.Request, *countedBody, error) {
	at := q.at
	if at == nil {
		at = h.url(q.path, q.query)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, at.String(), nil)
	if err != nil {
		e := h.failure(q)
		e.Kind, e.Err, e.Message = registry.ErrRefused, err, "it gave an address that can't be used"
		return nil, nil, e
	}
	maps.Copy(r.Header, q.header)
	h.sign(r)
	if g.header != "" && SameOrigin(at, h.url("", "")) {
		r.Header.Set("Authorization", g.header)
	}
	if q.body == nil {
		return r, nil, nil
	}
	rc, err := q.body()
	if err != nil {
		return nil, nil, err
	}
	body := &countedBody{ReadCloser: rc}
	r.Body, r.ContentLength = body, q.size
	if q.size == 0 {
		closeBody(rc)
		r.Body = http.NoBody
	}
	return r, body, nil
}

// check turns any status other than the wanted ones into an error.
func (h *host) check(resp *http.Response, q request, g grant) (*http.Response, error) {
	if slices.Contains(q.want, resp.StatusCode) {
		return resp, nil
	}
	defer drain(resp.Body)
	e := h.failure(q)
	a := readAnswer(resp)
	e.Status, e.Code, e.Message = resp.StatusCode, a.Code, a.text()
	e.judge(q, a)
	if transient(resp.StatusCode) {
		e.again, e.after = true, retryAfter(resp.Header, time.Now())
	}
	if q.lost(resp.StatusCode, a) {
		e.Kind, e.again = registry.ErrUnavailable, true // a new upload may fare better
	}
	if e.Kind == registry.ErrDenied { //nolint:errorlint // set by judge, never wrapped
		g.explain(e, h.name)
	}
	return nil, e
}

// judge sets the kind by the status and the registry's message.
func (e *Error) judge(q request, a answer) {
	switch s := e.Status; {
	case transient(s):
		e.Kind = registry.ErrUnavailable
	case s == http.StatusUnauthorized:
		e.Kind = registry.ErrDenied
	case s == http.StatusConflict, s == http.StatusPreconditionFailed, s >= 400 && q.method == http.MethodPut &&
		a.immutable():
		e.Kind = registry.ErrConflict
		if q.ref.Tag != "" {
			e.hint = "the tag is protected or was moved by someone else; look at what it holds now, or take another tag"
		}
	case s == http.StatusForbidden:
		e.Kind = registry.ErrDenied
	case s == http.StatusNotFound && (q.method != http.MethodPut || a.Code == "NAME_UNKNOWN"):
		e.Kind = registry.ErrNotFound
		e.missing(q)
	default:
		e.Kind = registry.ErrRefused
	}
}

// missing explains a repository that does not exist, as opposed to a tag or digest.
func (e *Error) missing(q request) {
	switch {
	case e.Code == "NAME_UNKNOWN" && q.scopes.writes():
		e.hint = "the registry has no such repository and makes none by itself: create it there first"
	case e.Code == "NAME_UNKNOWN":
		e.hint = "the registry has no such repository: check the name before the tag"
	}
}

// answersTLS recognises a TLS server by its answer to plain HTTP: Go's and nginx's text with status 400, or a TLS alert
// where HTTP was expected, for which net/http has no typed error.
func answersTLS(resp *http.Response, err error) bool {
	if err != nil {
		return strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`)
	}
	if resp.StatusCode != http.StatusBadRequest {
		return false
	}
	if resp.Request.Method == http.MethodHead {
		return len(resp.Header) == 0 // Go's text, which is lost in an answer to HEAD, comes without headers
	}
	start, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	resp.Body = &rejoined{io.MultiReader(bytes.NewReader(start), resp.Body), resp.Body}
	text := strings.ToLower(string(start))
	return strings.Contains(text, "http request to an https server") || strings.Contains(text, "sent to https port")
}

// rejoined is a body whose start has been read already.
type rejoined struct {
	io.Reader
	io.Closer
}

// countedBody remembers why reading a source failed, since net/http reports that as its own failure.
type countedBody struct {
	io.ReadCloser
	mu  sync.Mutex // net/http may still read when it has answered
	err error
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.mu.Lock()
		b.err = err
		b.mu.Unlock()
	}
	return n, err
}

// failure returns nil for a nil body too.
func (b *countedBody) failure() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
