package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"mtool/inspect/binary"
)

// body is the content of one file, for an Examiner. It keeps the error of the layer.
type body struct {
	r         io.Reader
	remaining int64 // how much of the layer's files may still be read: holes of sparse files need no bytes in the layer
	err       error
}

func (b *body) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.remaining <= 0 {
		b.err = errTooMuch
		return 0, b.err
	}
	n, b.err = b.r.Read(p[:min(int64(len(p)), b.remaining)])
	b.remaining -= int64(n)
	return n, b.err
}

var errTooMuch = errors.New("too much")

// regular examines a file, and keeps it in the view if it is a program.
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
	if err == nil && !isProgram(fact.Kind) {
		return s.view.put(name, n)
	}
	program := fact // a copy, so that fact itself stays off the heap for the many files that are not kept
	file := &File{Type: Program, Mode: mode, Size: h.Size, Fact: &program}
	if err != nil {
		file.Problem = err.Error()
	}
	return s.view.put(name, &node{file: file})
}

// examine calls the Examiner or an Extractor, and compares what they read with the table of contents.
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

// maxText limits how many bytes of a file an Extractor gets.
const maxText = 64 << 20

// extract returns the text of a file, and what to examine: nil if an Extractor read the file.
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

// isText reports whether a file begins like a text, and not like a program.
func isText(head []byte) bool {
	for _, c := range head {
		if c < '\t' || c > '\r' && c < ' ' || c > '~' {
			return bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) // some editors write a byte order mark
		}
	}
	return !bytes.HasPrefix(head, []byte("#!")) && !bytes.HasPrefix(head, []byte("MZ")) &&
		!bytes.HasPrefix(head, []byte("PK"))
}

// isDatabase reports whether a file begins like a Berkeley DB database (a sequence number that is 0 without its log),
// or like an SQLite journal. https://www.sqlite.org/fileformat2.html#walformat
func isDatabase(head []byte) bool {
	return bytes.Equal(head, make([]byte, 4)) || bytes.HasPrefix(head, []byte("\x37\x7f\x06"))
}

// isProgram reports whether a file is a program. Java classes are not: there are thousands of them, and they run
// anywhere.
func isProgram(k binary.Kind) bool { return k != binary.Other && k != binary.JavaClass && k != "" }

// failed returns the error that ended the layer, if it was not the end of the file.
func (b *body) failed() error {
	if b.err == nil || errors.Is(b.err, io.EOF) {
		return nil
	}
	return b.err
}
