//go:build !mips64le

package worker

import (
	"bytes"
	"testing"
)

// The index of a cache has a limit, for a service that sends without end.
func TestLimitedBuffer(t *testing.T) {
	t.Parallel()
	b := limitedBuffer{&bytes.Buffer{}, 4}
	if n, err := b.Write([]byte("1234")); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := b.Write([]byte("5")); err == nil || b.String() != "1234" {
		t.Errorf("it took more: %q, %v", b.String(), err)
	}
}
