package rootfs

import (
	"fmt"
	"io"

	"mtool/registry"
)

const (
	chunkSize = 256 << 10 // large enough to make passing it cheap, small enough for the second-level cache
	chunks    = 4         // in flight
)

// chunk is a piece of an unpacked layer.
type chunk struct {
	data []byte
	raw  int64 // compressed bytes read so far
	err  error // the error after data
}

// unpacker reads a decoder in its own goroutine, so that unpacking and examining overlap.
type unpacker struct {
	full chan chunk
	free chan []byte
	stop chan struct{}
}

// newUnpacker starts reading r. raw returns how many bytes of r's own source were read, and is called by the reading
// goroutine, which ends after the first error of r, or after close.
func newUnpacker(r io.Reader, raw func() int64) *unpacker {
	a := &unpacker{full: make(chan chunk, chunks), free: make(chan []byte, chunks), stop: make(chan struct{})}
	for range chunks {
		a.free <- nil
	}
	go a.run(r, raw)
	return a
}

func (a *unpacker) run(r io.Reader, raw func() int64) {
	defer close(a.full)
	for {
		var buf []byte
		select {
		case <-a.stop:
			return
		case buf = <-a.free:
		}
		if buf == nil {
			buf = make([]byte, chunkSize)
		}
		n, err := readRecovering(r, buf[:chunkSize])
		a.full <- chunk{data: buf[:n], raw: raw(), err: err} // the channel has room for every buffer
		if err != nil {
			return
		}
	}
}

// readRecovering turns a decoder's panic into an error: the bytes are untrusted, and no caller could recover from a
// panic in this goroutine.
func readRecovering(r io.Reader, buf []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = 0, fmt.Errorf("unpacking: %w: %v", registry.ErrContent, p)
		}
	}()
	return fill(r, buf)
}

// fill is like io.ReadFull, but returns the reader's own error: a short chunk is normal.
func fill(r io.Reader, buf []byte) (n int, err error) {
	const patience = 100 // empty reads in a row, as in bufio
	for empty := 0; n < len(buf) && err == nil; {
		var m int
		m, err = r.Read(buf[n:])
		n += m
		if empty++; m > 0 {
			empty = 0
		} else if empty > patience && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

// next waits for a chunk. Its data is valid until the next call. After the last one it returns io.EOF.
func (a *unpacker) next(used []byte) chunk {
	if used != nil {
		a.free <- used
	}
	c, ok := <-a.full
	if !ok {
		return chunk{err: io.EOF}
	}
	return c
}

// close ends the goroutine and waits for it, so that r is not read any more.
func (a *unpacker) close() {
	close(a.stop)
	for range a.full { // until the goroutine closes it
	}
}
