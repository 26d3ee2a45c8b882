package rpmdb

import "fmt"

// pages has the pages of a file, all of one size.
type pages struct {
	chunks    [][]byte
	first     uint32 // the number of the first page of the file; no format has links to page 0
	count     uint32 // the highest page number
	size      int    // of a page
	usable    int    // usable bytes of a page
	seen      []bool // by number: each page is read once
	remaining uint64 // the maximum total size of the following rows, which do not overlap
}

// page returns the usable bytes of a page. It is an error to read a page twice, so that cycles end.
func (p *pages) page(number uint32) ([]byte, error) {
	if p.seen == nil {
		p.seen = make([]bool, p.count+1)
	}
	if number == 0 || number > p.count || p.seen[number] {
		return nil, fmt.Errorf("%w: page %d", ErrFormat, number)
	}
	p.seen[number] = true
	return p.at(number), nil
}

// at returns an existing page.
func (p *pages) at(number uint32) []byte {
	at := int(number-p.first) * p.size
	return p.chunks[at/chunk][at%chunk:][:p.usable]
}

// take counts the bytes of a row; false if the file can't have so many.
func (p *pages) take(size uint64) bool {
	if size > p.remaining {
		return false
	}
	p.remaining -= size
	return true
}
