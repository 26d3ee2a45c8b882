package remote

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestSameOrigin: another scheme, host or port is somebody else, though a port may be left out.
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
			t.Errorf("%s and %s: %v is wrong", tt.a, tt.b, !tt.same)
		}
	}
}

func TestGuardCredentials(t *testing.T) {
	t.Parallel()
	var shown []string
	storage := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
	}))
	defer storage.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, storage.URL, http.StatusTemporaryRedirect)
		case "/far":
			http.Redirect(w, r, "/away", http.StatusTemporaryRedirect)
		case "/near":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		default:
			shown = append(shown, r.Header.Get("Authorization"))
		}
	}))
	defer home.Close()
	for path, want := range map[string]string{"/": "secret", "/near": "secret", "/away": "", "/far": ""} {
		shown = nil
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
		if len(shown) != 1 || shown[0] != want {
			t.Errorf("%s: shown %q, want %q", path, shown, want)
		}
	}
}
