package remote

import (
	"context"
	"net/http"
	"net/url"
)

// url returns the address of path, which begins with "/v2/", by the scheme that the host speaks.
func (h *host) url(path, query string) *url.URL {
	scheme := "https"
	if h.plain.Load() {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: h.addr, Path: path, RawQuery: query}
}

// meet lets the first request to a host go alone, since nearly all hosts answer it with a challenge and would refuse
// all others too. Loopback hosts seldom require a login and get everything at once. A host that does not answer is
// waited for only once. The caller calls done when the first request has ended.
func (h *host) meet(ctx context.Context) (done func(), err error) {
	if h.eager || h.met.Load() {
		return func() {}, nil
	}
	select {
	case h.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.met.Load() {
		<-h.gate
		return func() {}, nil
	}
	return func() {
		h.met.Store(true)
		<-h.gate
	}, nil
}

// acquire waits for the host's turn, then takes a slot of the host and one of all hosts.
func (h *host) acquire(ctx context.Context) error {
	if err := h.pace.wait(ctx); err != nil {
		return err
	}
	if h.slots != nil {
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := h.client.acquire(ctx)
	if err != nil && h.slots != nil {
		<-h.slots
	}
	return err
}

func (h *host) release() {
	h.client.release()
	if h.slots != nil {
		<-h.slots
	}
}

// ask sends r unless its host has been given up; over reports that it is given up, now or earlier.
func (h *host) ask(r *http.Request) (resp *http.Response, err error, over bool) {
	dead := &h.client.dead
	if err := dead.of(r.URL.Host); err != nil {
		closeBody(r.Body)
		return nil, err, true
	}
	resp, err = h.client.do(r)
	return resp, err, dead.note(r, err, stillLimit(h.client.options.MaxWait))
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	if c.options.Idle < 0 {
		return c.http.Do(r)
	}
	return c.line.send(r, c.http.Do)
}

// sign sets User-Agent and, if r goes to the host itself, the headers of the host's settings.
func (h *host) sign(r *http.Request) {
	r.Header.Set("User-Agent", h.client.options.UserAgent)
	if !SameOrigin(r.URL, h.url("", "")) {
		return
	}
	for name, value := range h.client.options.settings(h.name).Headers {
		r.Header.Set(name, value)
	}
}
