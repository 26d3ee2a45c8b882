package remote

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// MayHeader reports whether HostSettings.Headers may set this header: not one that carries credentials, which are
// looked up and guarded elsewhere, and not one that the protocol needs.
func MayHeader(name, value string) bool {
	reserved := []string{
		"Accept", "Authorization", "Connection", "Content-Length", "Content-Range", "Content-Type", "Host",
		"Proxy-Authorization",
		"Range", "Transfer-Encoding",
	}
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) &&
		!slices.Contains(reserved, http.CanonicalHeaderKey(name))
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

// pace spaces requests evenly.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn. A nil pace never waits.
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
