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
	answers := func(w http.ResponseWriter, word string) {
		switch word {
		case "broken":
			panic(http.ErrAbortHandler)
		case "busy":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case "closed":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "ill":
			w.WriteHeader(http.StatusBadGateway)
		case "missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, word)
		}
	}
	for name, tt := range map[string]struct {
		method, words string
		status, asked int // 0 is an error
		least         time.Duration
	}{
		"once broken":         {"GET", "broken fine", 200, 2, firstPause},
		"out of order":        {"HEAD", "ill ill fine", 200, 3, 3 * firstPause},
		"asks for patience":   {"GET", "busy fine", 200, 2, time.Second},
		"asks for an hour":    {"GET", "closed fine", 503, 1, 0},
		"for good":            {"GET", "ill ill ill ill fine", 502, 4, 0},
		"broken for good":     {"GET", "broken broken broken broken fine", 0, 4, 0},
		"is not there":        {"GET", "missing fine", 404, 1, 0},
		"what writes is sent": {"POST", "ill fine", 502, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(tt.words)
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				answers(w, words[asked.Add(1)-1])
			}))
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			// Go itself sends a request again on a connection that was used before.
			resp, err := RetryReads(&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
			status := 0
			if err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close()
			}
			if took := time.Since(began); status != tt.status || int(asked.Load()) != tt.asked || took < tt.least {
				t.Errorf("status %d, %v, asked %d times in %s; want %d, %d times in %s", status, err, asked.Load(), took, tt.status,
					tt.asked, tt.least)
			}
		})
	}
}
