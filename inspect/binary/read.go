package binary

import (
	"bytes"
	"io"
)

// Options set how far Read may go. The zero value reads at most the first 64 KiB, which has all facts except the
// baselines of most ARM programs and Go's build information.
type Options struct {
	// Whole lets Read go on after the first 64 KiB, to the end of the stream if necessary. It stops as soon as all facts
	// are known. It needs no more memory.
	Whole bool
}

// Read returns what a file is, from its first bytes on. It reads as much of r as it needs, mostly one page of 4 KiB,
// and does not close r.
//
// An error wraps ErrMalformed if the file is not a valid file of its format; the Fact then has what was read so far,
// including its Kind. Otherwise it wraps the error of r. Empty files and files of unknown formats are Other, without
// an error.
func Read(r io.Reader, o Options) (Fact, error) {
	s := newStream(r, o.Whole)
	defer s.release()
	f, err := read(s)
	if failed := s.failure(); failed != nil {
		return f, failed
	}
	f.Incomplete = f.Incomplete || s.cut
	return f, err
}

// read determines the format by the magic number.
func read(s *stream) (Fact, error) {
	b := s.peek(0, 4)
	switch {
	case bytes.HasPrefix(b, []byte("\x7fELF")):
		return readELF(s)
	case bytes.HasPrefix(b, []byte("#!")):
		return readScript(s), nil
	case bytes.HasPrefix(b, []byte("MZ")):
		return readPE(s)
	case bytes.Equal(b, []byte("PK\x03\x04")):
		return readZip(s), nil
	case bytes.Equal(b, []byte("\x00asm")):
		return readWasm(s)
	case bytes.Equal(b, []byte("\xca\xfe\xba\xbe")):
		return readCafebabe(s)
	case len(b) == 4 && isMachO(b):
		return readMachO(s)
	}
	return Fact{Kind: Other}, nil
}
