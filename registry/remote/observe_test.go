package remote_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"mtool/registry/remote"
)

// Every request is reported, those of redirects too, without secrets in URLs and headers.
func TestExchanges(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "id="+secret)
		_, _ = fmt.Fprint(w, strings.Repeat("x", 1000)+secret)
	}))
	t.Cleanup(storage.Close)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", strings.Replace(storage.URL, "//", "//bob:"+secret+"@", 1)+"/blob?X-Amz-Signature="+secret+"&digest=sha256:1&sig="+secret)
		w.Header().Set("X-Auth-Token", secret)
		w.Header().Set("Www-Authenticate", `Bearer realm="https://bob:`+secret+`@auth.example.com/token?token=`+secret+`",service="r"`)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	t.Cleanup(front.Close)
	var mu sync.Mutex
	var seen []remote.Exchange
	client := remote.NewClient(remote.Options{Observe: func(e remote.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	}})
	t.Cleanup(client.Close)
	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(front.URL, "//", "//bob:"+secret+"@", 1)+"/v2/?_state="+secret, strings.NewReader(secret))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Cookie", secret)
		resp, err := client.HTTP().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscan(resp.Body, new(string)); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if text := fmt.Sprintf("%+v", seen); strings.Contains(text, secret) || !strings.Contains(text, "REDACTED") {
		t.Errorf("a secret was reported, or nothing was redacted: %s", text)
	}
	if len(seen) != 4 {
		t.Fatalf("got %d exchanges, want 4", len(seen))
	}
	if e := seen[0]; e.Method != http.MethodPost || e.Status != http.StatusTemporaryRedirect || e.Sent != int64(len(secret)) || e.Reused || e.Address == "" || e.Took <= 0 {
		t.Errorf("first exchange: %+v", e)
	}
	if e := seen[1]; e.Status != http.StatusOK || e.Received != 1000+int64(len(secret)) || !strings.Contains(e.URL, "digest=sha256") {
		t.Errorf("redirect: %+v", e)
	}
	if !seen[2].Reused {
		t.Error("the third exchange did not reuse a connection")
	}
}
