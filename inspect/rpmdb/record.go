package rpmdb

import (
	"slices"
	"sort"
)

// size returns the number of bytes in a row.
func (r payload) size() int {
	if n := len(r.ends); n > 0 {
		return r.ends[n-1]
	}
	return 0
}

// bytes returns a range of a row; nil if it is too short.
func (r payload) bytes(from, size int) []byte {
	total := r.size()
	if from < 0 || size < 0 || from > total || size > total-from {
		return nil
	}
	n := sort.SearchInts(r.ends, from+1)
	if n < len(r.ends) && from+size <= r.ends[n] {
		return r.pieces[n][from-(r.ends[n]-len(r.pieces[n])):][:size]
	}
	all := make([]byte, 0, size)
	for ; len(all) < size; n++ {
		piece := r.pieces[n][from-(r.ends[n]-len(r.pieces[n])):]
		piece = piece[:min(len(piece), size-len(all))]
		all, from = append(all, piece...), from+len(piece)
	}
	return all
}

// column is one value of a row.
type column struct {
	kind     uint64 // https://www.sqlite.org/fileformat2.html#record_format
	at, size int
}

// columns returns the first values of a row.
func (r payload) columns(most int) (all []column) {
	const longest = 256 // bytes in the header of a row with few values
	head := r.head(longest)
	size, rest, ok := varint(head)
	if !ok || size > uint64(len(head)) {
		return nil
	}
	at, begin := int(size), len(head)-len(rest)
	if at < begin {
		return nil
	}
	rest = rest[:at-begin]
	for len(rest) > 0 && len(all) < most {
		var kind uint64
		if kind, rest, ok = varint(rest); !ok {
			return nil
		}
		c := column{kind: kind, at: at, size: width(kind)}
		if c.size < 0 {
			return nil
		}
		at += c.size
		all = append(all, c)
	}
	return all
}

// head returns the beginning of a row, or all of it if it is shorter.
func (r payload) head(most int) []byte {
	return r.bytes(0, min(most, r.size()))
}

// width returns how many bytes a value of a kind has; -1 if the kind is unknown or the value too large.
func width(kind uint64) int {
	const variable, most = 12, 1 << 30
	switch {
	case kind >= variable && (kind-variable)/2 < most:
		return int(kind-variable) / 2
	case kind <= 4:
		return int(kind)
	case kind == 5:
		return 6
	case kind == 6, kind == 7:
		return 8
	case kind == 8, kind == 9: // 0 and 1
		return 0
	}
	return -1
}

// text returns a text value; "" for other kinds.
func (r payload) text(c column) string {
	if c.kind < 13 || c.kind%2 == 0 {
		return ""
	}
	return string(r.bytes(c.at, c.size))
}

// number returns a positive integer of up to four bytes; 0 for other kinds.
func (r payload) number(c column) (n uint32) {
	switch {
	case c.kind == 9:
		return 1
	case c.kind == 0 || c.kind > 4:
		return 0
	}
	for _, b := range r.bytes(c.at, c.size) {
		n = n<<8 | uint32(b)
	}
	return n
}

// slice returns size bytes of the row from an offset on, as far as it has them.
func (r payload) slice(at, size int) (part payload) {
	for n, piece := range r.pieces {
		begin := r.ends[n] - len(piece)
		lo, hi := max(at, begin), min(at+size, r.ends[n])
		if lo < hi {
			part.add(piece[lo-begin : hi-begin])
		}
	}
	part.pieces = slices.Clip(part.pieces)
	return part
}
