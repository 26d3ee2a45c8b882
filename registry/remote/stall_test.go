package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"
)

// Concurrent responses share the bandwidth, so each must have its part of the minimum rate.
func TestMinRate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		waited        time.Duration
		came, reading int64
		slow          bool
	}{
		"a byte each half second": {time.Minute, 120, 1, true},
		"64 responses of those":   {time.Minute, 120, 64, true},
		"10 kB/s":                 {time.Minute, 600_000, 1, false},
		"10 kB/s, 64 responses":   {time.Minute, 600_000 / 64, 64, false},
		"just enough":             {time.Minute, 60_000, 1, false},
		"not quite enough":        {time.Minute, 59_000, 1, true},
		"too early to tell":       {time.Minute - 1, 0, 1, false},
		"enough, a longer wait":   {10 * time.Minute, 600_000, 1, false},
	} {
		a := &watchedAnswer{line: &line{idle: time.Minute, rate: leastRate}, waited: tt.waited, came: tt.came}
		if err := a.enough(tt.reading); (err != nil) != tt.slow {
			t.Errorf("%s: got %v", name, err)
		}
	}
	a := &watchedAnswer{line: &line{idle: time.Minute}, waited: time.Hour}
	if err := a.enough(1); err != nil {
		t.Errorf("without a minimum rate: got %v", err)
	}
}

func TestSilentHosts(t *testing.T) {
	t.Parallel()
	still, refused := idleError{after: time.Minute}, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	request := func() *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://r.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ends []error
		ago  time.Duration // of the first stall
		dead bool
	}{
		"once":                  {[]error{still}, 0, false},
		"twice in a minute":     {[]error{still, still}, 0, false},
		"twice, a minute apart": {[]error{still, still}, time.Minute, true},
		"answered before":       {[]error{nil, still, still}, time.Hour, false},
		"connection refused":    {[]error{refused, refused}, time.Hour, false},
	} {
		var d silentHosts
		dead := false
		for i, err := range tt.ends {
			if i == 1 && d.hosts["r.example"] != nil {
				d.hosts["r.example"].since = d.hosts["r.example"].since.Add(-tt.ago)
			}
			dead = d.note(request(), err, stillLimit(defaultMaxWait))
		}
		if dead != tt.dead || (d.of("r.example") != nil) != tt.dead || d.of("other.example") != nil {
			t.Errorf("%s: got %v, want %v; then %v", name, dead, tt.dead, d.of("r.example"))
		}
		if d.note(request().WithContext(ended), still, 0) {
			t.Errorf("%s: an interrupted request made the host silent", name)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// LimitIdle fails requests to a silent host at once, so that callers with their own retries don't wait longer than a
// Client.
func TestLimitIdleSkipsSilentHosts(t *testing.T) {
	t.Parallel()
	sent := 0
	limited, ok := LimitIdle(roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		<-r.Context().Done()
		return nil, r.Context().Err()
	}), 10*time.Millisecond).(*idleLimit)
	if !ok {
		t.Fatal("LimitIdle returned no *idleLimit")
	}
	send := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://r.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := limited.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	for range 3 {
		if err := send(); stalledFor(err) == 0 {
			t.Fatalf("got %v", err)
		}
	}
	limited.dead.hosts["r.example"].since = time.Now().Add(-10 * time.Minute)
	for range 3 {
		if err := send(); stalledFor(err) == 0 {
			t.Fatalf("got %v", err)
		}
	}
	if sent != 4 {
		t.Errorf("%d requests were sent, want 4", sent)
	}
}
