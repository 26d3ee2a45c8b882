package remote

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// Origins differ by scheme, host or port. The default port may be left out.
func TestSameOrigin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"https://r.example", "https://R.example:443/v2/", true},
		{"http://r.example:80", "http://r.example", true},
		{"https://r.example", "http://r.example", false},
		{"https://r.example:5000", "http://r.example:5000", false},
		{"https://r.example:5000", "https://r.example", false},
		{"https://r.example", "https://cdn.r.example", false},
	} {
		a, errA := url.Parse(tt.a)
		b, errB := url.Parse(tt.b)
		if errA != nil || errB != nil || SameOrigin(a, b) != tt.same || SameOrigin(b, a) != tt.same {
			t.Errorf("SameOrigin(%s, %s): want %v", tt.a, tt.b, tt.same)
		}
	}
}

func TestGuardCredentials(t *testing.T) {
	t.Parallel()
	var sent []string
	storage := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization"))
	}))
	defer storage.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, storage.URL, http.StatusTemporaryRedirect)
		case "/twice":
			http.Redirect(w, r, "/away", http.StatusTemporaryRedirect)
		case "/near":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		default:
			sent = append(sent, r.Header.Get("Authorization"))
		}
	}))
	defer home.Close()
	for path, want := range map[string]string{"/": "secret", "/near": "secret", "/away": "", "/twice": ""} {
		sent = nil
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, home.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "secret")
		resp, err := (&http.Client{Transport: GuardCredentials(http.DefaultTransport)}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if len(sent) != 1 || sent[0] != want {
			t.Errorf("%s: sent %q, want %q", path, sent, want)
		}
	}
}
