package rpmdb

import "encoding/binary"

// maxDepth is more levels than an SQLite tree can have.
const maxDepth = 20

// The kinds of pages of a table.
const (
	interior = 0x05
	leaf     = 0x0d
)

// rows calls f for every row of the tree with this root page, until f returns false.
func (p *pages) rows(root uint32, depth int, f func(row payload) bool) (more bool, err error) {
	b, err := p.page(root)
	if err != nil {
		return false, err
	}
	h := 0
	if root == 1 {
		h = 100 // the header of the file
	}
	kind, cells, pointers := b[h], int(binary.BigEndian.Uint16(b[h+3:])), h+8
	if kind == interior {
		pointers += 4
	}
	if kind != interior && kind != leaf || depth > maxDepth || pointers+2*cells > len(b) {
		return false, ErrFormat
	}
	for n := range cells {
		at := int(binary.BigEndian.Uint16(b[pointers+2*n:]))
		if at+4 > len(b) {
			return false, ErrFormat
		}
		if kind == interior {
			more, err = p.rows(binary.BigEndian.Uint32(b[at:]), depth+1, f)
		} else {
			more, err = p.row(b[at:], f)
		}
		if err != nil || !more {
			return false, err
		}
	}
	if kind == interior {
		return p.rows(binary.BigEndian.Uint32(b[h+8:]), depth+1, f)
	}
	return true, nil
}

// row calls f with the row in one cell of a leaf.
func (p *pages) row(cell []byte, f func(row payload) bool) (bool, error) {
	size, cell, ok := varint(cell)
	_, cell, ok2 := varint(cell) // the number of the row
	if !ok || !ok2 || !p.take(size) {
		return false, ErrFormat
	}
	row, err := p.payload(int(size), cell)
	if err != nil {
		return false, err
	}
	return f(row), nil
}

// payload is the content of a row, in pieces as in the file.
type payload struct {
	pieces [][]byte
	ends   []int // the end offsets of the pieces
}

func (r *payload) add(piece []byte) {
	r.pieces, r.ends = append(r.pieces, piece), append(r.ends, r.size()+len(piece))
}

// payload collects a row of this size from its cell and its overflow pages.
func (p *pages) payload(size int, cell []byte) (r payload, err error) {
	local := p.localSize(size)
	if local > len(cell) {
		return r, ErrFormat
	}
	r.add(cell[:local])
	if local == size {
		return r, nil
	}
	if local+4 > len(cell) {
		return r, ErrFormat
	}
	next := binary.BigEndian.Uint32(cell[local:])
	for left := size - local; left > 0; {
		page, err := p.page(next)
		if err != nil {
			return r, err
		}
		next = binary.BigEndian.Uint32(page)
		piece := page[4:]
		piece = piece[:min(left, len(piece))]
		left -= len(piece)
		r.add(piece)
	}
	return r, nil
}

// localSize returns how much of a row of this size is in its own page.
func (p *pages) localSize(size int) int {
	most := p.usable - 35
	if size <= most {
		return size
	}
	least := (p.usable-12)*32/255 - 23
	if local := least + (size-least)%(p.usable-4); local <= most {
		return local
	}
	return least
}

// varint reads an SQLite number, and returns the rest.
func varint(b []byte) (n uint64, rest []byte, ok bool) {
	const longest = 9
	for i := range b {
		if i == longest-1 {
			return n<<8 | uint64(b[i]), b[i+1:], true
		}
		n = n<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
