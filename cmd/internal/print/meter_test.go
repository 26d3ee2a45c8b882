package print

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	m := NewMeter(&b)
	now := time.Unix(1, 0)
	m.now = func() time.Time { return now }
	one, two := v1.Descriptor{Digest: v1.Hash{Hex: "1"}}, v1.Descriptor{Digest: v1.Hash{Hex: "2"}}
	m.Read(one, 1_000_000)
	m.Done()
	if b.Len() != 0 {
		t.Errorf("short work is shown: %q", b.String())
	}
	m.Read(one, 1_000_000)
	now = now.Add(2 * time.Second)
	m.Read(two, 3_000_000)
	now = now.Add(time.Millisecond)
	m.Read(two, 5_000_000)
	if got := b.String(); strings.Count(got, "reading") != 1 || !strings.HasSuffix(got, "reading layers: 4.0 MB, 2.0 MB/s") {
		t.Errorf("got %q", got)
	}
	m.Done()
	if !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Errorf("the line stays: %q", b.String())
	}
}
