package rpmdb

import "encoding/binary"

// sqlite calls f for the header of each package: a row of the table Packages has a number and a header.
// https://www.sqlite.org/fileformat2.html
func (d Database) sqlite(f func(header payload)) error {
	root, err := d.table("Packages")
	if err != nil {
		return err
	}
	p, err := d.pages()
	if err != nil {
		return err
	}
	_, err = p.rows(root, 0, func(row payload) bool {
		if columns := row.columns(2); len(columns) == 2 {
			f(row.slice(columns[1].at, columns[1].size))
		}
		return true
	})
	return err
}

// table returns the root page of a table. https://www.sqlite.org/schematab.html
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

const sqliteMagic = "SQLite format 3\x00"

// pages reads the header of the file.
func (d Database) pages() (*pages, error) {
	const header, smallest, biggest, leastUsable, utf8 = 100, 512, 65536, 480, 1
	if d.size < header || string(d.chunks[0][:len(sqliteMagic)]) != sqliteMagic {
		return nil, ErrFormat
	}
	h := d.chunks[0][:header]
	p := &pages{chunks: d.chunks, first: 1, size: int(binary.BigEndian.Uint16(h[16:])), remaining: uint64(d.size)}
	if p.size == 1 {
		p.size = biggest
	}
	p.usable = p.size - int(h[20])
	if p.size < smallest || p.size&(p.size-1) != 0 || p.usable < leastUsable || binary.BigEndian.Uint32(h[56:]) != utf8 {
		return nil, ErrFormat
	}
	p.count = uint32(d.size / int64(p.size))
	return p, nil
}
