package rpmdb

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/adler32"
)

// The format ndb, with little-endian numbers of four bytes: a header, slots with the positions of package headers in
// blocks of 16 bytes, and these headers.
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
	if !ok || h.uint32LE(version) != 0 {
		return fmt.Errorf("%w: its header", ErrFormat)
	}
	slots, ok := d.part(header, int64(h.uint32LE(slotPages))*ndbPage-header)
	if !ok {
		return fmt.Errorf("%w: its slots", ErrFormat)
	}
	left := d.size // the maximum total size of the following blobs, which do not overlap
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
			continue // a free slot
		}
		blob, ok := d.blob(number, int64(block)*ndbBlock, left)
		if !ok {
			return fmt.Errorf("%w: package %d", ErrFormat, number)
		}
		left -= int64(blob.size())
		f(blob)
	}
}

// blob returns the blob at an offset, between its head and a tail at the end of its last block. The tail has a
// checksum of everything before it.
func (d Database) blob(number uint32, at, most int64) (blob payload, ok bool) {
	head, ok := d.part(at, blobHead)
	if !ok || head.word(0) != blobMagic || head.uint32LE(4) != number {
		return blob, false
	}
	size := int64(head.uint32LE(12))
	summed := (blobHead+size+blobTail+ndbBlock-1)/ndbBlock*ndbBlock - blobTail
	all, ok := d.part(at, summed)
	tail, more := d.part(at+summed, blobTail)
	if !ok || !more || size > most {
		return blob, false
	}
	sum := adler32.New()
	all.writeTo(sum)
	return all.slice(blobHead, int(size)), tail.uint32LE(0) == sum.Sum32() && int64(tail.uint32LE(4)) == size &&
		tail.word(8) == blobEnd
}

// writeTo writes a payload into a hash.
func (r payload) writeTo(sum hash.Hash) {
	for _, piece := range r.pieces {
		_, _ = sum.Write(piece)
	}
}

// word returns four bytes; "" if they are missing.
func (r payload) word(at int) string { return string(r.bytes(at, 4)) }

// uint32LE returns a little-endian number of four bytes; 0 if they are missing.
func (r payload) uint32LE(at int) uint32 {
	if b := r.bytes(at, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}
