package serve_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry/registrytest"
	"mtool/registry/serve"
	"mtool/registry/store"
)

// storeWithLayer returns a store that has an image with a layer of about size bytes, and that layer.
func storeWithLayer(t *testing.T, size int) (*store.Store, v1.Descriptor, []byte) {
	t.Helper()
	b := registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Padding:  size,
	})
	s := store.Open(t.TempDir() + "/store")
	w := s.Writer(parse(t, "store:demo:v1"))
	if err := errors.Join(b.Push(t.Context(), w, "v1"), w.Close()); err != nil {
		t.Fatal(err)
	}
	largest := b.Order[0]
	for _, d := range b.Order {
		if d.Size > largest.Size {
			largest = d
		}
	}
	return s, largest, b.Blobs[largest.Digest]
}

// TestDamagedBlobs flips one bit of a blob in the store. No response for any range of it is complete, wherever the bit
// is. Responses for the undamaged blob are.
func TestDamagedBlobs(t *testing.T) {
	t.Parallel()
	s, layer, data := storeWithLayer(t, 3<<20)
	host := start(t, s, serve.Options{})
	url := "http://" + host + "/v2/demo/blobs/" + layer.Digest.String()
	file := filepath.Join(s.Dir(), "blobs", "sha256", layer.Digest.Hex)
	size := len(data)
	ranges := map[string]string{
		"": string(data), "bytes=0-9": string(data[:10]), fmt.Sprintf("bytes=%d-", size-9): string(data[size-9:]),
		"bytes=-5":          string(data[size-5:]),
		"bytes=100-1500000": string(data[100:1500001]), "bytes=0-0,5-6": string(data),
	}
	check := func(name string, want bool) {
		for part, content := range ranges {
			body, status, err := fetch(t, url, part)
			complete := err == nil && status < 300
			if complete != want || complete && body != content {
				t.Errorf("%s, %q: %d, %d bytes, %v; want complete %v", name, part, status, len(body), err, want)
			}
		}
	}
	check("undamaged", true)
	for name, at := range map[string]int{"the first byte": 0, "a middle byte": size / 2, "the last byte": size - 1} {
		wrong := []byte(string(data))
		wrong[at] ^= 1
		write(t, file, wrong)
		check(name, false)
	}
	write(t, file, data[:size-1])
	check("too short", false)
	write(t, file, append([]byte(string(data)), 0))
	check("too long", false)
	write(t, file, data)
	check("repaired", true)
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func fetch(t *testing.T, url, part string) (string, int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if part != "" {
		r.Header.Set("Range", part)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.StatusCode, err
}

// A request for a small damaged blob gets an error with the reason.
func TestDamagedConfig(t *testing.T) {
	t.Parallel()
	s := storeWith(t, "demo:v1")
	config := image("demo:v1").Order[0]
	for _, d := range image("demo:v1").Order {
		if d.Size < config.Size {
			config = d
		}
	}
	host := start(t, s, serve.Options{})
	write(t, filepath.Join(s.Dir(), "blobs", "sha256", config.Digest.Hex), []byte("{}"))
	got := do(t, "GET", host+"/v2/demo/blobs/"+config.Digest.String())
	if got.StatusCode != 500 || !strings.Contains(got.body, "its digest is sha256:") ||
		got.Header.Get("Docker-Content-Digest") != "" {
		t.Errorf("got %d %s %v", got.StatusCode, got.body, got.Header)
	}
}

// A client that requests a blob and reads nothing is disconnected. A slow one gets the whole blob.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s, layer, data := storeWithLayer(t, 256<<10) // takes longer than the patience through buffers this small
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	small := smallBuffers{l}
	ended := make(chan string, 9)
	const patience = 2 * time.Second
	handler := serve.New(s, serve.Options{Patience: patience})
	go func() {
		_ = serve.Run(t.Context(), small, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { ended <- r.URL.Query().Get("client") }()
			handler.ServeHTTP(w, r)
		}))
	}()
	request := func(client, extra string) net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "GET /v2/demo/blobs/%s?client=%s HTTP/1.1\r\nHost: x\r\n%s\r\n", layer.Digest, client, extra)
		return conn
	}
	slow := request("slow", "Connection: close\r\n")
	request("stuck", "") // never reads
	type read struct {
		bytes int
		pause time.Duration // the longest time between reads; a busy machine may exceed the patience
	}
	got := make(chan read, 1)
	go func() {
		var all read
		buf := make([]byte, 64<<10)
		for began, last := time.Now(), time.Now(); ; last = time.Now() {
			n, err := slow.Read(buf)
			if all.bytes += n; err != nil {
				got <- all
				return
			}
			if time.Since(began) < 2*patience {
				time.Sleep(10 * time.Millisecond)
			}
			all.pause = max(all.pause, time.Since(last))
		}
	}()
	for range 2 {
		select {
		case <-ended:
		case <-time.After(45 * time.Second): // far beyond the patience
			t.Fatal("the server still waits for a client")
		}
	}
	if all := <-got; all.bytes < len(data) && all.pause < patience/2 {
		t.Errorf("the slow client got %d of %d bytes, with pauses of at most %s", all.bytes,
			len(data), all.pause)
	}
}

// smallBuffers is a listener whose connections have small write buffers.
type smallBuffers struct{ net.Listener }

func (s smallBuffers) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetWriteBuffer(4<<10))
	}
	return conn, err
}

// The server closes the connection when a request's body does not arrive.
func TestMissingRequestBody(t *testing.T) {
	t.Parallel()
	host := start(t, storeWith(t, "demo:v1"), serve.Options{})
	conn, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v2/demo/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute)) // far beyond the server's patience
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
}
