package binary

import (
	"bytes"
	"io"
)

// Options say how far Read may go. The zero value reads the first 64 KiB at most, which has all facts but baselines of
// most ARM programs and what Go records of a build.
type Options struct {
	// Whole lets Read go on behind the first 64 KiB, to the end of the stream if need be. It stops as soon as nothing more
	// can be learnt. The memory needed is the same.
	Whole bool
}

// Read says what a file is, by its bytes from the first on. It takes from r what it needs, mostly one page of 4 KiB,
// and leaves r somewhere in the file. It does not close r.
//
// An error wraps ErrMalformed where the file is not what it begins as (the Fact has what was read until then, its Kind
// included), and otherwise the error of r. A file of no known format, and an empty one, are Other, without an error.
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

// read tells the formats apart by their magic numbers.
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
