package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"
)

// Answers share the line: each must bring its part of what all must bring together.
func TestEnough(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		waited        time.Duration
		came, reading int64
		slow          bool
	}{
		"a byte each half second": {time.Minute, 120, 1, true},
		"64 of them":              {time.Minute, 120, 64, true},
		"10 kB/s":                 {time.Minute, 600_000, 1, false},
		"10 kB/s for 64 answers":  {time.Minute, 600_000 / 64, 64, false},
		"just enough":             {time.Minute, 60_000, 1, false},
		"not quite":               {time.Minute, 59_000, 1, true},
		"not waited for long enough to be judged": {time.Minute - 1, 0, 1, false},
		"enough in a longer wait":                 {10 * time.Minute, 600_000, 1, false},
	} {
		a := &watchedAnswer{line: &line{idle: time.Minute, rate: leastRate}, waited: tt.waited, came: tt.came}
		if err := a.enough(tt.reading); (err != nil) != tt.slow {
			t.Errorf("%s: got %v", name, err)
		}
	}
	a := &watchedAnswer{line: &line{idle: time.Minute}, waited: time.Hour}
	if err := a.enough(1); err != nil {
		t.Errorf("without a rate: got %v", err)
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
		ago  time.Duration // when the first stood still
		over bool
	}{
		"once":                         {[]error{still}, 0, false},
		"twice in a minute":            {[]error{still, still}, 0, false},
		"twice, one after the other":   {[]error{still, still}, time.Minute, true},
		"answered before":              {[]error{nil, still, still}, time.Hour, false},
		"refused, which takes no wait": {[]error{refused, refused}, time.Hour, false},
	} {
		var d silentHosts
		over := false
		for i, err := range tt.ends {
			if i == 1 && d.hosts["r.example"] != nil {
				d.hosts["r.example"].since = d.hosts["r.example"].since.Add(-tt.ago)
			}
			over = d.note(request(), err, stillLimit(defaultMaxWait))
		}
		if over != tt.over || (d.of("r.example") != nil) != tt.over || d.of("other.example") != nil {
			t.Errorf("%s: given up %v, then %v", name, over, d.of("r.example"))
		}
		if d.note(request().WithContext(ended), still, 0) {
			t.Errorf("%s: an interrupted request gives the host up", name)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whoever makes attempts of his own above LimitIdle gets no more of them than a Client makes.
func TestLimitIdleGivesHostsUp(t *testing.T) {
	t.Parallel()
	sent := 0
	limited, ok := LimitIdle(roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		<-r.Context().Done()
		return nil, r.Context().Err()
	}), 10*time.Millisecond).(*idleLimit)
	if !ok {
		t.Fatal("no limit")
	}
	ask := func() error {
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
		if err := ask(); stalledFor(err) == 0 {
			t.Fatalf("got %v", err)
		}
	}
	limited.dead.hosts["r.example"].since = time.Now().Add(-10 * time.Minute)
	for range 3 {
		if err := ask(); stalledFor(err) == 0 {
			t.Fatalf("got %v", err)
		}
	}
	if sent != 4 {
		t.Errorf("%d requests were sent, want 3 and a last one", sent)
	}
}
