package rpmdb

import "fmt"

// pages are those of a file, of one size.
type pages struct {
	chunks [][]byte
	first  uint32 // the number of the page with which the file begins; links to page 0 lead nowhere in any format
	count  uint32 // the greatest number
	size   int    // of a page
	usable int    // of its bytes
	seen   []bool // by number: each is asked for once
	left   uint64 // how many bytes rows may have that are still to come: they share none
}

// page returns the usable bytes of a page. No page is asked for twice, so that there is an end.
func (p *pages) page(number uint32) ([]byte, error) {
	if p.seen == nil {
		p.seen = make([]bool, p.count+1)
	}
	if number == 0 || number > p.count || p.seen[number] {
		return nil, fmt.Errorf("%w: page %d", ErrFormat, number)
	}
	p.seen[number] = true
	return p.look(number), nil
}

// look returns a page that is there.
func (p *pages) look(number uint32) []byte {
	at := int(number-p.first) * p.size
	return p.chunks[at/chunk][at%chunk:][:p.usable]
}

// take counts the bytes of a row; false: there can't be as many.
func (p *pages) take(size uint64) bool {
	if size > p.left {
		return false
	}
	p.left -= size
	return true
}
