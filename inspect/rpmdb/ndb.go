package rpmdb

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/adler32"
)

// The format ndb, in small-endian numbers of four bytes: a header, slots that say where the headers of packages lie, in
// blocks of 16 bytes, and those.
// https://github.com/rpm-software-management/rpm/blob/rpm-4.18.0-release/lib/backend/ndb/rpmpkg.c
const (
	ndbMagic  = "RpmP"
	slotMagic = "Slot"
	blobMagic = "BlbS"
	blobEnd   = "BlbE"
	slotSize  = 16
	ndbBlock  = 16
	ndbPage   = 4096
	blobHead  = 16
	blobTail  = 12
)

// ndb calls f for the header of each package.
func (d Database) ndb(f func(header payload)) error {
	const header, version, slotPages = 32, 4, 12
	h, ok := d.part(0, header)
	if !ok || h.little(version) != 0 {
		return fmt.Errorf("%w: its header", ErrFormat)
	}
	slots, ok := d.part(header, int64(h.little(slotPages))*ndbPage-header)
	if !ok {
		return fmt.Errorf("%w: its slots", ErrFormat)
	}
	left := d.size // how many bytes blobs may have that are still to come: they share none
	for at := 0; ; at += slotSize {
		slot := slots.bytes(at, slotSize)
		if slot == nil {
			return nil
		}
		if string(slot[:4]) != slotMagic {
			return fmt.Errorf("%w: slot %d", ErrFormat, at/slotSize)
		}
		number, block := binary.LittleEndian.Uint32(slot[4:]), binary.LittleEndian.Uint32(slot[8:])
		if number == 0 {
			continue // free
		}
		blob, ok := d.blob(number, int64(block)*ndbBlock, left)
		if !ok {
			return fmt.Errorf("%w: package %d", ErrFormat, number)
		}
		left -= int64(blob.size())
		f(blob)
	}
}

// blob is what lies at a place: behind a head, and before a tail at the end of its last block, with a sum of all that
// is before.
func (d Database) blob(number uint32, at, most int64) (blob payload, ok bool) {
	head, ok := d.part(at, blobHead)
	if !ok || head.word(0) != blobMagic || head.little(4) != number {
		return blob, false
	}
	size := int64(head.little(12))
	summed := (blobHead+size+blobTail+ndbBlock-1)/ndbBlock*ndbBlock - blobTail
	all, ok := d.part(at, summed)
	tail, more := d.part(at+summed, blobTail)
	if !ok || !more || size > most {
		return blob, false
	}
	sum := adler32.New()
	all.to(sum)
	return all.from(blobHead, int(size)), tail.little(0) == sum.Sum32() && int64(tail.little(4)) == size &&
		tail.word(8) == blobEnd
}

// to writes all of a payload into a sum.
func (r payload) to(sum hash.Hash) {
	for _, piece := range r.pieces {
		_, _ = sum.Write(piece)
	}
}

// word are four bytes; "" where they are not there.
func (r payload) word(at int) string { return string(r.bytes(at, 4)) }

// little is a small-endian number of four bytes; 0 where it is not there.
func (r payload) little(at int) uint32 {
	if b := r.bytes(at, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}
