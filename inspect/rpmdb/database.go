package rpmdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The errors of databases that can't be read.
var (
	ErrFormat = errors.New("it is no database of RPM, or a broken one")
	ErrSize   = errors.New("it is too large")
)

// chunk is how much of a database is allocated at once. Every size of a page divides it, in all formats.
const chunk = 1 << 20

// Database is the bytes of one.
type Database struct {
	chunks [][]byte
	size   int64
}

// Read reads a database of up to most bytes.
func Read(r io.Reader, most int64) (d Database, err error) {
	for {
		b := make([]byte, chunk)
		n, err := io.ReadFull(r, b)
		d.chunks, d.size = append(d.chunks, b), d.size+int64(n)
		switch {
		case d.size > most:
			return Database{}, fmt.Errorf("%w: more than %d MiB", ErrSize, most>>20)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if d.format() == nil {
				return Database{}, ErrFormat
			}
			return d, nil
		case err != nil:
			return Database{}, err
		}
	}
}

// Packages calls f for each package, in the order of the database.
func (d Database) Packages(f func(Package)) error {
	format := d.format()
	if format == nil {
		return ErrFormat
	}
	return format(d, func(row payload) {
		if h, ok := parseHeader(row); ok {
			if one := packageOf(h); one.Name != "" {
				f(one)
			}
		}
	})
}

// format is what calls a function for the header of each package, by what the database begins with; nil is no format of
// RPM.
func (d Database) format() func(d Database, f func(header payload)) error {
	begin := d.chunks[0][:min(d.size, berkeleyHeader)]
	switch {
	case bytes.HasPrefix(begin, []byte(sqliteMagic)):
		return Database.sqlite
	case bytes.HasPrefix(begin, []byte(ndbMagic)):
		return Database.ndb
	case berkeleyOrder(begin) != nil:
		return Database.berkeley
	}
	return nil
}

// part is that many bytes of the file; false: it has not so many.
func (d Database) part(at, size int64) (part payload, ok bool) {
	if at < 0 || size < 0 || at > d.size || size > d.size-at {
		return part, false
	}
	for size > 0 {
		piece := d.chunks[at/chunk][at%chunk:]
		piece = piece[:min(int64(len(piece)), size)]
		part.add(piece)
		at, size = at+int64(len(piece)), size-int64(len(piece))
	}
	return part, true
}
