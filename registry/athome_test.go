package registry

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAtHome(t *testing.T) {
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
		resp, err := (&http.Client{Transport: AtHome(http.DefaultTransport)}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if len(shown) != 1 || shown[0] != want {
			t.Errorf("%s: shown %q, want %q", path, shown, want)
		}
	}
}
