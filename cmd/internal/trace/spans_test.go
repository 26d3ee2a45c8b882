package trace_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"mtool/cmd/internal/trace"
	"mtool/registry/remote"
)

// The spans of a command are sent to the collector of the environment, as part of the caller's trace.
func TestSpans(t *testing.T) {
	var mu sync.Mutex
	var body []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		data, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/traces" {
			body = append(body, data...)
		}
	}))
	defer collector.Close()
	if trace.Wanted() {
		t.Skip("the environment of the test names a collector")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if !trace.Wanted() {
		t.Error("no spans are wanted although the environment names a collector")
	}
	spans, err := trace.Start(t.Context(), "mtool push", "v1")
	if err != nil {
		t.Fatal(err)
	}
	spans.Add(remote.Exchange{
		Started: time.Now(), Method: http.MethodPut, URL: "https://r.example/v2/",
		Status: http.StatusCreated, Took: time.Second,
	})
	if err := spans.End(0); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	parent := []byte{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}
	for _, want := range [][]byte{
		[]byte("mtool push"), []byte("https://r.example/v2/"),
		[]byte("http.request.method"), parent,
	} {
		if !bytes.Contains(body, want) {
			t.Errorf("no span contains %q", want)
		}
	}
}
