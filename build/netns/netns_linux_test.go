package netns

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestNew makes networks, which takes a user namespace or root.
func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := inThread(newNamespace); err != nil {
		t.Skip(err)
	}
	var m Maker
	for range 3 {
		start := time.Now()
		n, err := m.New(Rules{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(start))
		connected := -1
		_, err = inThread(func() (int, error) {
			if err := unix.Setns(n.namespace, unix.CLONE_NEWNET); err != nil {
				return 0, err
			}
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			connected = fd
			if err != nil {
				return 0, err
			}
			return 0, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{192, 0, 0, 1}, Port: 80})
		})
		if !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("a port of the gateway: %v", err)
		}
		_ = unix.Close(connected)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}
