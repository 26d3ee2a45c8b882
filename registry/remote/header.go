package remote

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// MayHeader reports whether HostSettings.Headers may hold this one: none that carries credentials, which are looked up
// and guarded elsewhere, nor one that the protocol needs.
func MayHeader(name, value string) bool {
	reserved := []string{
		"Accept", "Authorization", "Connection", "Content-Length", "Content-Range", "Content-Type", "Host", "Proxy-Authorization",
		"Range", "Transfer-Encoding",
	}
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) &&
		!slices.Contains(reserved, http.CanonicalHeaderKey(name))
}

// sign says who asks, and adds the headers of the host's settings where r goes to the host itself.
func (h *host) sign(r *http.Request) {
	r.Header.Set("User-Agent", h.client.options.UserAgent)
	if !SameOrigin(r.URL, h.url("", "")) {
		return
	}
	for name, value := range h.client.options.settings(h.name).Headers {
		r.Header.Set(name, value)
	}
}

// pace spreads requests evenly: one every so often.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn. Nobody waits for a nil pace.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	at := time.Now()
	if at.Before(p.next) {
		at = p.next
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
