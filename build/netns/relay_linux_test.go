package netns

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDatagrams sends packets of all sizes through a network, and many of them.
func TestDatagrams(t *testing.T) {
	t.Parallel()
	n := networkFor(t)
	echo, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for b := make([]byte, 1<<16); ; {
			size, from, err := echo.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = echo.WriteTo(b[:size], from)
		}
	}()
	c := n.socket4(t, unix.SOCK_DGRAM, echo.LocalAddr().(*net.UDPAddr).Port)
	b := make([]byte, 1<<16)
	for _, size := range []int{1, 1472, 1473, 9000, 60000} {
		sent := bytes.Repeat([]byte{byte(size)}, size)
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Read(b); err != nil || !bytes.Equal(b[:got], sent) {
			t.Errorf("of %d bytes %d came back, %v", size, got, err)
		}
	}
	for i := range 5000 {
		sent := bytes.Repeat([]byte{byte(i)}, 1200)
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Read(b); err != nil || !bytes.Equal(b[:got], sent) {
			t.Fatalf("packet %d: %d bytes came back, %v", i, got, err)
		}
	}
}

// TestStream receives a lot through a network, and says how fast that is.
func TestStream(t *testing.T) {
	t.Parallel()
	n := networkFor(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 128 << 20
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1<<20)
			for range size / len(b) {
				_, _ = c.Write(b)
			}
			_ = c.Close()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		by   string
		from func() (io.Reader, error)
	}{
		{"loopback", func() (io.Reader, error) { return net.Dial("tcp4", l.Addr().String()) }},
		{"the network", func() (io.Reader, error) { return n.socket4(t, unix.SOCK_STREAM, port), nil }},
	} {
		start := time.Now()
		from, err := c.from()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, 256<<10))
		if err != nil || got != size {
			t.Errorf("by %s: %d bytes, %v", c.by, got, err)
		}
		t.Logf("by %s: %.0f MB/s", c.by, size/time.Since(start).Seconds()/1e6)
	}
}

// networkFor returns a network that reaches this machine's loopback, which takes a user namespace or root.
func networkFor(t *testing.T) *Network {
	t.Helper()
	if _, err := inThread(newNamespace); err != nil {
		t.Skip(err)
	}
	var m Maker
	n, err := m.New(Rules{Host: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// socket4 returns a socket in the network that is connected to a port of the gateway.
func (n *Network) socket4(t *testing.T, kind, port int) *os.File {
	t.Helper()
	fd, err := inThread(func() (int, error) {
		if err := unix.Setns(n.namespace, unix.CLONE_NEWNET); err != nil {
			return 0, err
		}
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		patience := unix.Timeval{Sec: 20}
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
			return 0, err
		}
		return fd, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 0, 1}, Port: port})
	})
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { _ = f.Close() })
	return f
}
