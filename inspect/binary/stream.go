package binary

import (
	"fmt"
	"io"
	"sync"
)

const (
	// window is how many bytes of a file are in memory at a time, and how many are read without Options.Whole.
	window = 64 << 10
	// overlap is how much of a window stays when it moves, so that short texts at the border of two windows are complete
	// in the second.
	overlap = 1 << 10
	// maxPeek limits the size of one read.
	maxPeek = 16 << 10
	// page is the minimum that is read at a time. It has the headers of most files, and the notes after them.
	page = 4 << 10
	// maxEmptyReads is how often a reader may return no bytes before it counts as broken.
	maxEmptyReads = 100
)

// watcher sees all bytes of a file, each at least once, in overlapping windows.
type watcher interface {
	// see gets the bytes at an offset, and reports whether it needs more.
	see(off int64, b []byte) bool
}

// stream is a window on a file that only moves forward.
type stream struct {
	src    io.Reader
	whole  bool
	watch  watcher // nil: not called
	base   int64   // the offset of the window
	length int     // bytes in buffer
	err    error   // io.EOF, or why reading stopped
	cut    bool    // bytes were requested that have passed, may not be read, or don't exist
	buffer [window]byte
}

// streams reuses the windows, since a layer has thousands of files.
var streams = sync.Pool{New: func() any { return new(stream) }}

func newStream(src io.Reader, whole bool) *stream {
	s, ok := streams.Get().(*stream)
	if !ok {
		s = new(stream)
	}
	s.src, s.whole = src, whole
	return s
}

// release returns the window to the pool. The stream must not be used afterwards.
func (s *stream) release() {
	s.src, s.watch, s.err = nil, nil, nil
	s.base, s.length, s.cut = 0, 0, false
	streams.Put(s)
}

// end returns the offset after the last byte that was read.
func (s *stream) end() int64 { return s.base + int64(s.length) }

// failure returns why reading stopped before the end of the file; nil if it did not.
func (s *stream) failure() error {
	if s.err == nil || s.err == io.EOF { //nolint:errorlint // io.Reader promises io.EOF itself
		return nil
	}
	return fmt.Errorf("reading file at byte %d: %w", s.end(), s.err)
}

// at returns n bytes at an offset, at most maxPeek, valid until the next call: fewer if the file ends, nil if they
// have passed or may not be read. It sets cut if bytes are missing.
func (s *stream) at(off int64, n int) []byte {
	b := s.peek(off, n)
	s.cut = s.cut || len(b) < n
	return b
}

// peek is like at for bytes that may be missing: it does not set cut.
func (s *stream) peek(off int64, n int) []byte {
	if off < s.base || n > maxPeek || off > maxOffset || !s.whole && off+int64(n) > window {
		return nil
	}
	s.move(off, n)
	from := min(off-s.base, int64(s.length))
	to := min(from+int64(n), int64(s.length))
	return s.buffer[from:to]
}

// maxOffset keeps sums of offsets and lengths from overflowing; no file is longer.
const maxOffset = 1 << 62

// move brings n bytes at an offset into the window, as far as the file has them. The offset must not have passed.
func (s *stream) move(off int64, n int) {
	for s.err == nil && s.end() < off+int64(n) {
		if off+int64(n)-s.base > window {
			s.slide(off)
		}
		s.fill(min(off+int64(n)-s.base, window))
	}
}

// pass reads until an offset, or until the watcher needs no more.
func (s *stream) pass(to int64) {
	if !s.whole {
		to = min(to, window)
	}
	for s.watch != nil && s.err == nil && s.end() < to {
		if s.length == window {
			s.slide(s.end())
			continue
		}
		s.fill(min(to-s.base, window))
	}
	s.show()
}

// slide drops the bytes before an offset, except for the overlap.
func (s *stream) slide(off int64) {
	s.show()
	drop := max(0, min(int(min(off-s.base, window)), s.length)-overlap)
	s.length = copy(s.buffer[:], s.buffer[drop:s.length])
	s.base += int64(drop)
}

func (s *stream) show() {
	if s.watch != nil && !s.watch.see(s.base, s.buffer[:s.length]) {
		s.watch = nil
	}
}

// fill reads until the window has want bytes, in whole pages if the source provides them at once.
func (s *stream) fill(want int64) {
	limit := min((int(want)+page-1)/page*page, window)
	for empty := 0; int64(s.length) < want && s.err == nil; {
		n, err := s.src.Read(s.buffer[s.length:limit])
		s.length += n
		s.err = err
		if empty++; n > 0 {
			empty = 0
		}
		if empty == maxEmptyReads && err == nil {
			s.err = io.ErrNoProgress
		}
	}
}
