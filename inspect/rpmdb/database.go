package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The errors of databases that can't be read.
var (
	ErrFormat = errors.New("it is no database of SQLite, or a broken one")
	ErrSize   = errors.New("it is too large")
)

// chunk is how much of a database is allocated at once. Every size of a page divides it.
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
			_, err = d.pages()
			return d, err
		case err != nil:
			return Database{}, err
		}
	}
}

// Packages calls f for each package, in the order in which they were installed.
func (d Database) Packages(f func(Package)) error {
	root, err := d.table("Packages")
	if err != nil {
		return err
	}
	p, err := d.pages()
	if err != nil {
		return err
	}
	_, err = p.rows(root, 0, func(row payload) bool {
		columns := row.columns(2) // the number, and the header
		if len(columns) < 2 {
			return true
		}
		blob := columns[1]
		if h, ok := parseHeader(row.from(blob.at, blob.size)); ok {
			if one := packageOf(h); one.Name != "" {
				f(one)
			}
		}
		return true
	})
	return err
}

// table is the root of the tree of a table. https://www.sqlite.org/schematab.html
func (d Database) table(name string) (root uint32, err error) {
	p, err := d.pages()
	if err != nil {
		return 0, err
	}
	_, err = p.rows(1, 0, func(row payload) bool {
		const kind, called, rootPage, all = 0, 1, 3, 4
		columns := row.columns(all)
		if len(columns) == all && row.text(columns[kind]) == "table" && row.text(columns[called]) == name {
			root = row.number(columns[rootPage])
		}
		return root == 0
	})
	if err == nil && root == 0 {
		err = ErrFormat
	}
	return root, err
}

// pages are those of a file of SQLite.
type pages struct {
	chunks [][]byte
	size   int // of a page
	usable int // of its bytes
	count  uint32
	seen   []bool // by number: a tree has each once
	left   uint64 // how many bytes rows may have that are still to come: they share none
}

const magic = "SQLite format 3\x00"

// pages reads the header of the file.
func (d Database) pages() (*pages, error) {
	const header, smallest, biggest, leastUsable, utf8 = 100, 512, 65536, 480, 1
	if d.size < header || string(d.chunks[0][:len(magic)]) != magic {
		return nil, ErrFormat
	}
	h := d.chunks[0][:header]
	p := &pages{chunks: d.chunks, size: int(binary.BigEndian.Uint16(h[16:])), left: uint64(d.size)}
	if p.size == 1 {
		p.size = biggest
	}
	p.usable = p.size - int(h[20])
	if p.size < smallest || p.size&(p.size-1) != 0 || p.usable < leastUsable || binary.BigEndian.Uint32(h[56:]) != utf8 {
		return nil, ErrFormat
	}
	p.count = uint32(d.size / int64(p.size))
	p.seen = make([]bool, p.count+1)
	return p, nil
}

// page returns the usable bytes of a page, which are numbered from 1. No page is asked for twice, so that there is an end.
func (p *pages) page(number uint32) ([]byte, error) {
	if number == 0 || number > p.count || p.seen[number] {
		return nil, fmt.Errorf("%w: page %d", ErrFormat, number)
	}
	p.seen[number] = true
	at := int(number-1) * p.size
	return p.chunks[at/chunk][at%chunk:][:p.usable], nil
}
