package print

import (
	"fmt"
	"io"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// Meter shows on one line of a terminal how much was read, and how fast. Done takes the line away.
type Meter struct {
	w   io.Writer
	now func() time.Time

	mu         sync.Mutex
	layers     map[v1.Hash]int64
	total      int64
	begun, was time.Time // when the first bytes came, and when the line was last written
	shown      bool
}

// NewMeter writes to w, a terminal.
func NewMeter(w io.Writer) *Meter {
	return &Meter{w: w, now: time.Now, layers: map[v1.Hash]int64{}}
}

// Read takes note that read bytes of a layer are there. The line is written ten times a second at most, and not before a
// fifth of a second has passed.
func (m *Meter) Read(layer v1.Descriptor, read int64) {
	const pause, patience = 100 * time.Millisecond, 200 * time.Millisecond
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += read - m.layers[layer.Digest]
	m.layers[layer.Digest] = read
	now := m.now()
	if m.begun.IsZero() {
		m.begun = now
	}
	passed := now.Sub(m.begun)
	if passed < patience || now.Sub(m.was) < pause {
		return
	}
	m.was, m.shown = now, true
	rate := int64(float64(m.total) / passed.Seconds())
	fmt.Fprintf(m.w, "\r\x1b[Kreading layers: %s, %s/s", inspect.Bytes(m.total), inspect.Bytes(rate))
}

// Done takes the line away. The meter can be used again.
func (m *Meter) Done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
	m.layers, m.total, m.begun, m.shown = map[v1.Hash]int64{}, 0, time.Time{}, false
}
