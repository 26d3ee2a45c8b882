package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"mtool/inspect/binary"
)

// body is one file for an Examiner: it ends with the file, and keeps the error of the layer below.
type body struct {
	r    io.Reader
	left int64 // what may still be read of the layer's files: holes of sparse files take no bytes of the layer
	err  error
}

func (b *body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.left <= 0 {
		b.err = errTooMuch
		return 0, b.err
	}
	n, b.err = b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, b.err
}

var errTooMuch = errors.New("too much")

// regular asks the Examiner about a file, and keeps the file if it is a program.
func (s *scan) regular(name string, h *tar.Header) error {
	mode := fs.FileMode(h.Mode).Perm()
	n := s.view.plain
	if mode&0o111 != 0 {
		n = s.view.runnable
	}
	if h.Size == 0 {
		return s.view.put(name, n)
	}
	if s.list != nil {
		return s.list(name, mode, h.Size)
	}
	s.body.err = nil
	fact, text, err := s.examine(name, mode, h.Size)
	if failed := s.body.failed(); failed != nil {
		if errors.Is(failed, errTooMuch) {
			return &LimitError{What: "bytes of files", Limit: s.options.Limits.Unpacked, Path: name}
		}
		return s.explain(failed)
	}
	if text != "" {
		return s.view.put(name, &node{file: &File{Type: Plain, Mode: mode, Size: h.Size, Text: text}})
	}
	if err == nil && !kept(fact.Kind) {
		return s.view.put(name, n)
	}
	said := fact // fact itself stays off the heap, since most files are none to keep
	file := &File{Type: Program, Mode: mode, Size: h.Size, Fact: &said}
	if err != nil {
		file.Problem = err.Error()
	}
	return s.view.put(name, &node{file: file})
}

// examine asks the Examiner, or an Extractor, and compares what they read.
func (s *scan) examine(name string, mode fs.FileMode, size int64) (fact binary.Fact, text string, err error) {
	compared := s.compare.content(name, &s.body)
	r := io.Reader(&s.body)
	if compared != nil {
		r = compared
	}
	if text, r = s.extract(name, r); text == "" && r != nil {
		fact, err = s.options.Examine(name, mode, size, r)
	}
	if compared != nil {
		compared.finish()
	}
	return fact, text, err
}

// maxText is how many bytes of a file an Extractor gets.
const maxText = 64 << 20

// extract is the text of a file, and what is to be examined: nil where the file is a text, whatever it says.
func (s *scan) extract(name string, r io.Reader) (text string, rest io.Reader) {
	if s.options.Extract == nil {
		return "", r
	}
	extract := s.options.Extract(name)
	if extract == nil {
		return "", r
	}
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || !isText(head[:n]) && !isDatabase(head[:n]) {
		return "", whole
	}
	return extract(io.LimitReader(whole, maxText)), nil
}

// isText reports whether a file begins as no program does.
func isText(head []byte) bool {
	for _, c := range head {
		if c < '\t' || c > '\r' && c < ' ' || c > '~' {
			return bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) // some editors write it
		}
	}
	return !bytes.HasPrefix(head, []byte("#!")) && !bytes.HasPrefix(head, []byte("MZ")) &&
		!bytes.HasPrefix(head, []byte("PK"))
}

// isDatabase reports whether a file begins as a database of Berkeley DB (a sequence number that is 0 without its log),
// or as the journal of one of SQLite. https://www.sqlite.org/fileformat2.html#walformat
func isDatabase(head []byte) bool {
	return bytes.Equal(head, make([]byte, 4)) || bytes.HasPrefix(head, []byte("\x37\x7f\x06"))
}

// kept reports whether a file is a program. Classes are not: they come by the thousand, and run anywhere.
func kept(k binary.Kind) bool { return k != binary.Other && k != binary.JavaClass && k != "" }

// failed is the error that the layer ended with, if it was not the end of the file.
func (b *body) failed() error {
	if b.err == nil || errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}
