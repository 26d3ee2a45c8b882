package rpmdb

import (
	"encoding/binary"
	"fmt"
)

// The format of Berkeley DB, as a table of hashes, in the order of bytes of the machine that wrote it: a page about the
// whole, and pages of pairs of a number and a header. What is too large for those lies in overflow pages that lead to
// each other. https://github.com/berkeleydb/libdb/blob/v5.3.28/src/dbinc/db_page.h
const (
	berkeleyMagic  = 0x00061561
	berkeleyHeader = 72 // bytes of what all databases of Berkeley DB begin with
	pageHeader     = 26
	kindHashOld    = 2 // before version 4.6
	kindOverflow   = 7
	kindHashMeta   = 8
	kindHash       = 13
	itemHere       = 1 // the bytes follow
	itemElsewhere  = 3
)

// berkeleyOrder is the order of bytes of a database; nil: it is none of Berkeley DB.
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
		return fmt.Errorf("%w: it has not all of its %d pages", ErrFormat, int64(last)+1)
	}
	p := hashes{&pages{chunks: d.chunks, count: last, size: int(size), usable: int(size), left: uint64(d.size)}, order}
	for number := uint32(1); number <= last; number++ {
		if err := p.pairs(p.look(number), f); err != nil {
			return fmt.Errorf("%w, of page %d", err, number)
		}
	}
	return nil
}

// hashes are the pages of a table of hashes.
type hashes struct {
	*pages

	order binary.ByteOrder
}

// pairs calls f for the second of each pair of a page. They lie from its end to its beginning, where it says where.
func (h hashes) pairs(page []byte, f func(header payload)) error {
	const count, kind = 20, 25
	if page[kind] != kindHash && page[kind] != kindHashOld {
		return nil
	}
	items := int(h.order.Uint16(page[count:]))
	if pageHeader+2*items > len(page) {
		return ErrFormat
	}
	place := func(item int) int { return int(h.order.Uint16(page[pageHeader+2*item:])) }
	for second := 1; second < items; second += 2 {
		at, end := place(second), place(second-1)
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

// item is what an item holds, or what the pages have to which it leads.
func (h hashes) item(item []byte) (all payload, err error) {
	const elsewhere, number, total = 12, 4, 8
	switch {
	case item[0] == itemHere:
		all.add(item[1:])
		if !h.take(uint64(len(item))) {
			return all, ErrFormat
		}
		return all, nil
	case item[0] != itemElsewhere:
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

// overflow is what an overflow page holds, and the number of the next.
func (h hashes) overflow(number uint32) (piece []byte, next uint32, err error) {
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
