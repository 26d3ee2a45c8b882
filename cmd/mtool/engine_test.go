package main

import (
	"io"
	"testing"
	"time"

	"mtool/cmd/internal/testparts"
	"mtool/registry/engine"
)

// TestEngineDial checks that the connection to the engine's BuildKit speaks HTTP/2: the answer to a client's preface is
// a SETTINGS frame (RFC 9113 section 3.4).
func TestEngineDial(t *testing.T) {
	testparts.Need(t, testparts.Docker)
	docker := testparts.StartDockerd(t)
	t.Setenv("DOCKER_HOST", docker.Addr)
	t.Setenv("DOCKER_CONFIG", docker.ConfigDir)
	conn, err := engine.Dial(t.Context(), "/grpc", "h2c", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(conn, head); err != nil || head[3] != 4 {
		t.Fatalf("the first frame is %x, %v; want SETTINGS", head, err)
	}
	if conn, err := engine.Dial(t.Context(), "/nosuch", "h2c", nil); err == nil {
		_ = conn.Close()
		t.Error("a path that does not exist was opened")
	}
}
