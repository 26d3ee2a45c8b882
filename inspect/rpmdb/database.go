package rpmdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The errors of databases that can't be read.
var (
	ErrFormat = errors.New("it is not an RPM database, or it is broken")
	ErrSize   = errors.New("it is too large")
)

// chunk is how much of a database is allocated at once. It is a multiple of every page size in all formats.
const chunk = 1 << 20

// Database is the content of a database.
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
			if p := packageOf(h); p.Name != "" {
				f(p)
			}
		}
	})
}

// format returns the method that reads the database, by its first bytes; nil if they match no format of RPM.
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

// part returns size bytes of the file; false if it is too short.
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
