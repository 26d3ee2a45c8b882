package rpmdb

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strconv"
)

// Package is an installed package.
type Package struct {
	Name    string
	Version string // EPOCH:VERSION-RELEASE, or VERSION-RELEASE without an epoch
	Arch    string // noarch means any; "" if it is not stated, as for keys

	header header
}

// The tags of a header that are read. https://rpm.org/docs/latest/manual/tags.html
const (
	tagName, tagVersion, tagRelease, tagEpoch, tagArch = 1000, 1001, 1002, 1003, 1022
	tagProvides, tagRequires                           = 1047, 1049
	tagDirIndexes, tagBaseNames, tagDirNames           = 1116, 1117, 1118
)

// header is the header of a package: an index of tags, and their data.
type header struct {
	row  payload
	tags map[uint32]tag
	data int // the offset of the data
}

// tag is the position of a tag's data. size is the maximum: to the end of the header.
type tag struct{ at, size, count int }

// parseHeader reads the index. Broken entries are treated as missing tags.
func parseHeader(row payload) (h header, ok bool) {
	const intro, entry = 8, 16
	b := row.bytes(0, intro)
	if b == nil {
		return h, false
	}
	entries, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	const most = 1 << 16 // RPM's limit
	if entries > most {
		return h, false
	}
	index := row.bytes(intro, int(entries)*entry)
	h = header{row: row, tags: map[uint32]tag{}, data: intro + int(entries)*entry}
	for ; len(index) >= entry; index = index[entry:] {
		number, at, count := binary.BigEndian.Uint32(index), binary.BigEndian.Uint32(index[8:]),
			binary.BigEndian.Uint32(index[12:])
		if isRead(number) && at < size && count <= size {
			h.tags[number] = tag{int(at), int(size - at), int(count)}
		}
	}
	return h, true
}

func isRead(number uint32) bool {
	switch number {
	case tagName, tagVersion, tagRelease, tagEpoch, tagArch, tagProvides, tagRequires, tagDirIndexes, tagBaseNames,
		tagDirNames:
		return true
	}
	return false
}

// texts yields the values of a tag, up to the first that is missing.
func (h header) texts(number uint32) iter.Seq[string] {
	return func(yield func(string) bool) {
		const most = 1 << 18 // more than any package has files
		t := h.tags[number]
		at := h.data + t.at
		for range min(t.count, most) {
			text, ok := h.row.cString(at, maxText)
			if !ok || !yield(text) {
				return
			}
			at += len(text) + 1
		}
	}
}

// longestText is longer than any name or path.
const maxText = 4096

// cString returns a text that ends with a zero byte.
func (r payload) cString(at, most int) (string, bool) {
	const usual = 64
	for size := usual; ; size *= 4 {
		b := r.bytes(at, min(size, r.size()-at))
		if text, _, ended := bytes.Cut(b, []byte{0}); ended {
			return string(text), true
		}
		if size > most || len(b) < size {
			return "", false
		}
	}
}

func (h header) text(number uint32) string {
	for text := range h.texts(number) {
		return text
	}
	return ""
}

// packageOf returns the package of a header.
func packageOf(h header) Package {
	p := Package{Name: h.text(tagName), Version: h.text(tagVersion), Arch: h.text(tagArch), header: h}
	if release := h.text(tagRelease); release != "" {
		p.Version += "-" + release
	}
	if t, ok := h.tags[tagEpoch]; ok && t.count > 0 {
		if b := h.row.bytes(h.data+t.at, 4); b != nil {
			p.Version = strconv.FormatUint(uint64(binary.BigEndian.Uint32(b)), 10) + ":" + p.Version
		}
	}
	return p
}

// Provides yields the names under which others may require it.
func (p Package) Provides() iter.Seq[string] { return p.header.texts(tagProvides) }

// Requires yields the names that it requires.
func (p Package) Requires() iter.Seq[string] { return p.header.texts(tagRequires) }

// Files yields the paths of its files.
func (p Package) Files() iter.Seq[string] {
	return func(yield func(string) bool) {
		var dirs []string
		for dir := range p.header.texts(tagDirNames) {
			dirs = append(dirs, dir)
		}
		indexes := p.header.tags[tagDirIndexes]
		at, n := p.header.data+indexes.at, 0
		for name := range p.header.texts(tagBaseNames) {
			b := p.header.row.bytes(at+4*n, 4)
			if n++; n > indexes.count || b == nil {
				return
			}
			if dir := binary.BigEndian.Uint32(b); int64(dir) < int64(len(dirs)) && !yield(dirs[dir]+name) {
				return
			}
		}
	}
}
