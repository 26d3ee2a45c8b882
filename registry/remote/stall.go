package remote

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// connectTime is how long making a connection may take.
const connectTime = 30 * time.Second

// stillLimit returns how long one request may stall over all its attempts, which may also wait for maxWait: two and a
// half minutes by default.
func stillLimit(maxWait time.Duration) time.Duration { return maxWait * 5 / 4 }

// stalledFor returns how long the request that ended with err was waited for without an answer, or with next to nothing
// of it.
func stalledFor(err error) time.Duration {
	if idle, ok := errors.AsType[idleError](err); ok {
		return idle.after
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return connectTime
	}
	return 0
}

// silentHosts remembers the hosts that have never answered within the limit, so that other requests of the same command
// need not wait for them again.
type silentHosts struct {
	mu    sync.Mutex
	hosts map[string]*silence
}

// silence is what is known of one host.
type silence struct {
	broken bool      // it has answered
	since  time.Time // the start of the first stalled request
	err    error     // why the host is given up
}

// of returns why a host is given up, or nil.
func (d *silentHosts) of(host string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.hosts[host]; s != nil {
		return s.err
	}
	return nil
}

// note records how a request ended, and reports whether its host is given up: it has never answered, and another
// request could stall beyond the limit. A request that was interrupted says nothing about its host.
func (d *silentHosts) note(r *http.Request, err error, limit time.Duration) bool {
	still := stalledFor(err)
	if r.Context().Err() != nil || err != nil && still == 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.hosts[r.URL.Host]
	if s == nil {
		s = &silence{since: time.Now().Add(-still)}
		if d.hosts == nil {
			d.hosts = map[string]*silence{}
		}
		d.hosts[r.URL.Host] = s
	}
	if err == nil {
		s.broken, s.err = true, nil
	} else if !s.broken && time.Since(s.since)+still > limit {
		s.err = err
	}
	return s.err != nil
}

// giveUp gives up the host of an address if it has never answered, without another request.
func (d *silentHosts) giveUp(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.hosts[host]; s != nil && !s.broken {
		s.err = errSilent
	}
}

// errSilent is why a mirror that has never answered is skipped.
var errSilent = errors.New("it has not answered before")
