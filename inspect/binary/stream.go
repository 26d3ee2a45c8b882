package binary

import (
	"fmt"
	"io"
	"sync"
)

const (
	// window is how many bytes of a file are held at a time, and how many are read without Options.Whole.
	window = 64 << 10
	// overlap is how much of a window stays when it moves, so that what lies across the border of two windows is seen
	// whole in the second.
	overlap = 1 << 10
	// reach is the longest piece that can be asked for.
	reach = 16 << 10
	// page is the least that is read at a time: the headers of most files, with the notes behind them.
	page = 4 << 10
	// idle is how often a reader may answer with nothing before it counts as broken.
	idle = 100
)

// watcher sees all bytes of a file that pass, each at least once, in windows that overlap.
type watcher interface {
	// see gets the bytes at an offset, and reports whether it wants to see more.
	see(off int64, b []byte) bool
}

// stream is a file that passes by: a window that only moves forward.
type stream struct {
	src   io.Reader
	whole bool
	watch watcher // nil: not called
	base  int64   // the offset of the window
	held  int     // how much of room is filled
	err   error   // io.EOF, or why reading stopped
	cut   bool    // something was asked for that the stream no longer has, may not read, or does not reach
	room  [window]byte
}

// streams keeps the windows: a layer has thousands of files.
var streams = sync.Pool{New: func() any { return new(stream) }}

func newStream(src io.Reader, whole bool) *stream {
	s, ok := streams.Get().(*stream)
	if !ok {
		s = new(stream)
	}
	s.src, s.whole = src, whole
	return s
}

// release gives the window back. The stream must not be used any more.
func (s *stream) release() {
	s.src, s.watch, s.err = nil, nil, nil
	s.base, s.held, s.cut = 0, 0, false
	streams.Put(s)
}

// end is the offset behind what has been read.
func (s *stream) end() int64 { return s.base + int64(s.held) }

// failure is why reading stopped before the end of the file; nil where it did not.
func (s *stream) failure() error {
	if s.err == nil || s.err == io.EOF { //nolint:errorlint // io.Reader promises io.EOF itself
		return nil
	}
	return fmt.Errorf("reading file at byte %d: %w", s.end(), s.err)
}

// at is n bytes at an offset, valid until the next call: fewer where the file ends, nil where they have passed already
// or may not be read, and n is at most reach. What is not all there is remembered in cut.
func (s *stream) at(off int64, n int) []byte {
	b := s.peek(off, n)
	s.cut = s.cut || len(b) < n
	return b
}

// peek is at, for what need not be there.
func (s *stream) peek(off int64, n int) []byte {
	if off < s.base || n > reach || off > maxOffset || !s.whole && off+int64(n) > window {
		return nil
	}
	s.move(off, n)
	from := min(off-s.base, int64(s.held))
	to := min(from+int64(n), int64(s.held))
	return s.room[from:to]
}

// maxOffset keeps sums of offsets and lengths from overflowing; no file is longer.
const maxOffset = 1 << 62

// move brings the n bytes at an offset that is not behind into the window, as far as the file has them.
func (s *stream) move(off int64, n int) {
	for s.err == nil && s.end() < off+int64(n) {
		if off+int64(n)-s.base > window {
			s.slide(off)
		}
		s.fill(min(off+int64(n)-s.base, window))
	}
}

// pass lets the file pass until an offset, or until the watcher has seen enough.
func (s *stream) pass(to int64) {
	if !s.whole {
		to = min(to, window)
	}
	for s.watch != nil && s.err == nil && s.end() < to {
		if s.held == window {
			s.slide(s.end())
			continue
		}
		s.fill(min(to-s.base, window))
	}
	s.show()
}

// slide drops what lies before an offset, but for the overlap.
func (s *stream) slide(off int64) {
	s.show()
	drop := max(0, min(int(min(off-s.base, window)), s.held)-overlap)
	s.held = copy(s.room[:], s.room[drop:s.held])
	s.base += int64(drop)
}

func (s *stream) show() {
	if s.watch != nil && !s.watch.see(s.base, s.room[:s.held]) {
		s.watch = nil
	}
}

// fill reads until the window holds that many bytes, in whole pages as far as the source has them at hand.
func (s *stream) fill(want int64) {
	room := min((int(want)+page-1)/page*page, window)
	for nothing := 0; int64(s.held) < want && s.err == nil; {
		n, err := s.src.Read(s.room[s.held:room])
		s.held += n
		s.err = err
		if nothing++; n > 0 {
			nothing = 0
		}
		if nothing == idle && err == nil {
			s.err = io.ErrNoProgress
		}
	}
}
