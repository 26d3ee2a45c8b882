package remote

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRetryReads(t *testing.T) {
	t.Parallel()
	respond := func(w http.ResponseWriter, word string) {
		switch word {
		case "broken":
			panic(http.ErrAbortHandler)
		case "busy":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case "closed":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "failing":
			w.WriteHeader(http.StatusBadGateway)
		case "missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, word)
		}
	}
	for name, tt := range map[string]struct {
		method, words    string
		status, requests int // status 0 means an error
		least            time.Duration
	}{
		"broken once":     {"GET", "broken fine", 200, 2, firstPause},
		"bad gateway":     {"HEAD", "failing failing fine", 200, 3, 3 * firstPause},
		"short wait":      {"GET", "busy fine", 200, 2, time.Second},
		"wait of an hour": {"GET", "closed fine", 503, 1, 0},
		"always failing":  {"GET", "failing failing failing failing fine", 502, 4, 0},
		"always broken":   {"GET", "broken broken broken broken fine", 0, 4, 0},
		"not found":       {"GET", "missing fine", 404, 1, 0},
		"writes":          {"POST", "failing fine", 502, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(tt.words)
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				respond(w, words[requests.Add(1)-1])
			}))
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			// With keep-alive, Go itself would repeat requests on used connections.
			resp, err := RetryReads(&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
			status := 0
			if err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close()
			}
			if took := time.Since(start); status != tt.status || int(requests.Load()) != tt.requests || took < tt.least {
				t.Errorf("got status %d, %v, %d requests in %s; want %d, %d in at least %s", status, err, requests.Load(), took,
					tt.status, tt.requests, tt.least)
			}
		})
	}
}
