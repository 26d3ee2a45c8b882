package registrytest

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// chunkedLayer returns a layer with a table of contents, compressed in the format packing (see ImageSpec.Packing), and
// the annotations of its descriptor. One line, in addition to those of LayerTar, makes the table lie:
//
//	lists PATH OTHER    the table gives the file PATH the content of the file OTHER; without OTHER it omits PATH
func chunkedLayer(
	packing string, lines []string,
) (plain, packed []byte, mediaType types.MediaType, annotations map[string]string) {
	c := chunker{packing: packing, rows: map[string]tableRow{}}
	c.tar = tar.NewWriter(&c.plain)
	lies := map[string]string{}
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "lists "); ok {
			path, other, _ := strings.Cut(rest, " ")
			lies[path] = other
			continue
		}
		c.entry(line)
	}
	for path, other := range lies {
		if row, ok := c.rows[other]; ok {
			row.Name = path
			c.rows[path] = row
		} else {
			delete(c.rows, path)
		}
	}
	mediaType, annotations = c.finish()
	return c.plain.Bytes(), c.packed.Bytes(), mediaType, annotations
}

// tableRow is a row of a table of contents in eStargz and zstd:chunked.
type tableRow struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	LinkName    string `json:"linkName,omitempty"`
	Mode        int64  `json:"mode"`
	Size        int64  `json:"size,omitempty"`
	Digest      string `json:"digest,omitempty"`
	Offset      int64  `json:"offset,omitempty"`
	EndOffset   int64  `json:"endOffset,omitempty"`
	ChunkOffset int64  `json:"chunkOffset,omitempty"`
	ChunkSize   int64  `json:"chunkSize,omitempty"`
	ChunkDigest string `json:"chunkDigest,omitempty"`

	chunks []tableRow
}

// chunker compresses a tar in pieces: each file in pieces of a MiB, and the headers between files.
type chunker struct {
	packing       string
	plain, packed bytes.Buffer
	flushed       int // bytes of plain
	tar           *tar.Writer
	order         []string
	rows          map[string]tableRow
}

const pieceSize = 1 << 20

func (c *chunker) pack(data []byte) {
	if c.packing == "estargz" {
		c.packed.Write(Gzip(data))
		return
	}
	w, err := zstd.NewWriter(nil)
	must(err)
	c.packed.Write(w.EncodeAll(data, nil))
}

// flush compresses the bytes added to the tar since the last flush.
func (c *chunker) flush() {
	if rest := c.plain.Bytes()[c.flushed:]; len(rest) > 0 {
		c.pack(rest)
		c.flushed = c.plain.Len()
	}
}

func (c *chunker) entry(line string) {
	h, body := layerEntry(line)
	h.Size, h.Format = int64(len(body)), tar.FormatPAX
	must(c.tar.WriteHeader(&h))
	c.flush()
	kinds := map[byte]string{tar.TypeReg: "reg", tar.TypeDir: "dir", tar.TypeSymlink: "symlink", tar.TypeLink: "hardlink"}
	row := tableRow{
		Name: h.Name, Type: kinds[h.Typeflag], LinkName: h.Linkname, Mode: h.Mode, Size: h.Size,
		Offset: int64(c.packed.Len()),
	}
	if len(body) > 0 {
		row.Digest = Hash(body).String()
	} else {
		row.Offset = 0
	}
	for at := 0; at < len(body); at += pieceSize {
		piece := body[at:min(at+pieceSize, len(body))]
		part := tableRow{
			Name: h.Name, Type: "chunk", Offset: int64(c.packed.Len()), ChunkOffset: int64(at),
			ChunkSize: int64(len(piece)), ChunkDigest: Hash(piece).String(),
		}
		_, err := c.tar.Write(piece)
		must(err)
		c.flush()
		row.EndOffset = int64(c.packed.Len())
		if at == 0 {
			row.ChunkDigest, row.ChunkSize = part.ChunkDigest, part.ChunkSize
		} else {
			row.chunks = append(row.chunks, part)
		}
	}
	c.order = append(c.order, h.Name)
	c.rows[h.Name] = row
}

// finish adds the table and returns the annotations that locate it.
// https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md
func (c *chunker) finish() (types.MediaType, map[string]string) {
	var rows []tableRow
	add := func(name string) {
		if row, ok := c.rows[name]; ok {
			rows = append(append(rows, row), row.chunks...)
			delete(c.rows, name)
		}
	}
	for _, name := range c.order {
		add(name)
	}
	for name := range c.rows { // rows without a file in the tar
		add(name)
	}
	table, err := json.Marshal(map[string]any{"version": 1, "entries": rows})
	must(err)
	if c.packing == "estargz" {
		must(c.tar.Flush()) // the padding of the previous file is not part of the table
		c.flush()
		at := c.packed.Len()
		must(c.tar.WriteHeader(&tar.Header{Name: "stargz.index.json", Size: int64(len(table)), Typeflag: tar.TypeReg}))
		_, err := c.tar.Write(table)
		must(err)
		must(c.tar.Close())
		c.flush()
		c.packed.Write([]byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x1a\x00SG\x16\x00"))
		fmt.Fprintf(&c.packed, "%016xSTARGZ", at)
		c.packed.Write([]byte("\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
		return types.OCILayer, map[string]string{"containerd.io/snapshot/stargz/toc.digest": Hash(table).String()}
	}
	must(c.tar.Close())
	c.flush()
	w, err := zstd.NewWriter(nil)
	must(err)
	packed := w.EncodeAll(table, nil)
	at := c.skippable(packed)
	footer := make([]byte, 64)
	for i, n := range []int{at, len(packed), len(table), 1} {
		binary.LittleEndian.PutUint64(footer[8*i:], uint64(n))
	}
	copy(footer[56:], "GNUlInUx")
	c.skippable(footer)
	const prefix = "io.github.containers.zstd-chunked.manifest-"
	return types.OCILayerZStd, map[string]string{
		prefix + "checksum": Hash(packed).String(),
		prefix + "position": fmt.Sprintf("%d:%d:%d:1", at, len(packed), len(table)),
	}
}

// skippable adds a frame that zstd decoders skip, and returns where its content begins.
func (c *chunker) skippable(data []byte) int {
	c.packed.Write([]byte("\x50\x2a\x4d\x18"))
	c.packed.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
	at := c.packed.Len()
	c.packed.Write(data)
	return at
}
