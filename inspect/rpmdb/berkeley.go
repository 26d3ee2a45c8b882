package rpmdb

import (
	"encoding/binary"
	"fmt"
)

// The format of a Berkeley DB hash table, in the byte order of the machine that wrote it: a metadata page, and pages
// with pairs of a number and a header. Items that are too large lie in chains of overflow pages.
// https://github.com/berkeleydb/libdb/blob/v5.3.28/src/dbinc/db_page.h
const (
	berkeleyMagic  = 0x00061561
	berkeleyHeader = 72 // bytes at the beginning of every Berkeley DB database
	pageHeader     = 26
	kindHashOld    = 2 // before version 4.6
	kindOverflow   = 7
	kindHashMeta   = 8
	kindHash       = 13
	itemInline     = 1 // the bytes follow
	itemOverflow   = 3
)

// berkeleyOrder returns the byte order of a Berkeley DB database; nil if it is not one.
func berkeleyOrder(begin []byte) binary.ByteOrder {
	const magic, kind = 12, 25
	if len(begin) < berkeleyHeader || begin[kind] != kindHashMeta {
		return nil
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if order.Uint32(begin[magic:]) == berkeleyMagic {
			return order
		}
	}
	return nil
}

// berkeley calls f for the header of each package.
func (d Database) berkeley(f func(header payload)) error {
	const encrypted, flags, summed, smallest, biggest = 24, 26, 1, 512, 65536
	begin := d.chunks[0][:berkeleyHeader]
	order := berkeleyOrder(begin)
	size := order.Uint32(begin[20:])
	if size < smallest || size > biggest || size&(size-1) != 0 || begin[encrypted] != 0 || begin[flags]&summed != 0 {
		return fmt.Errorf("%w: its first page", ErrFormat)
	}
	last := order.Uint32(begin[32:])
	if int64(last)+1 > d.size/int64(size) {
		return fmt.Errorf("%w: some of its %d pages are missing", ErrFormat, int64(last)+1)
	}
	all := &pages{chunks: d.chunks, count: last, size: int(size), usable: int(size), remaining: uint64(d.size)}
	p := hashTable{all, order}
	for number := uint32(1); number <= last; number++ {
		if err := p.pairs(p.at(number), f); err != nil {
			return fmt.Errorf("%w, of page %d", err, number)
		}
	}
	return nil
}

// hashTable has the pages of a hash table.
type hashTable struct {
	*pages

	order binary.ByteOrder
}

// pairs calls f for the second item of each pair of a page. The items are stored from the end of the page on; a table
// at its beginning has their offsets.
func (h hashTable) pairs(page []byte, f func(header payload)) error {
	const count, kind = 20, 25
	if page[kind] != kindHash && page[kind] != kindHashOld {
		return nil
	}
	items := int(h.order.Uint16(page[count:]))
	if pageHeader+2*items > len(page) {
		return ErrFormat
	}
	offset := func(item int) int { return int(h.order.Uint16(page[pageHeader+2*item:])) }
	for second := 1; second < items; second += 2 {
		at, end := offset(second), offset(second-1)
		if at < pageHeader || at >= end || end > len(page) {
			return ErrFormat
		}
		header, err := h.item(page[at:end])
		if err != nil {
			return err
		}
		f(header)
	}
	return nil
}

// item returns the content of an item, or that of its overflow pages.
func (h hashTable) item(item []byte) (all payload, err error) {
	const elsewhere, number, total = 12, 4, 8
	switch {
	case item[0] == itemInline:
		all.add(item[1:])
		if !h.take(uint64(len(item))) {
			return all, ErrFormat
		}
		return all, nil
	case item[0] != itemOverflow:
		return all, nil
	case len(item) < elsewhere:
		return all, ErrFormat
	}
	size := h.order.Uint32(item[total:])
	if !h.take(uint64(size)) {
		return all, ErrFormat
	}
	next := h.order.Uint32(item[number:])
	for left := int(size); left > 0; {
		var piece []byte
		if piece, next, err = h.overflow(next); err != nil {
			return all, err
		}
		piece = piece[:min(left, len(piece))]
		left -= len(piece)
		all.add(piece)
	}
	return all, nil
}

// overflow returns the content of an overflow page, and the number of the next.
func (h hashTable) overflow(number uint32) (piece []byte, next uint32, err error) {
	const following, held, kind = 16, 22, 25
	page, err := h.page(number)
	if err != nil {
		return nil, 0, err
	}
	size := int(h.order.Uint16(page[held:]))
	if page[kind] != kindOverflow || size == 0 || pageHeader+size > len(page) {
		return nil, 0, ErrFormat
	}
	return page[pageHeader:][:size], h.order.Uint32(page[following:]), nil
}
