package rootfs

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// tableFormat opens the compression format of a layer with a table of contents.
type tableFormat = opener

// tableLocation is where the table is in the layer.
type tableLocation struct {
	off, n int64
	packed string      // sha256:…, of the compressed table; "": not stated
	text   string      // the digest of its JSON; "": not stated
	format tableFormat // the compression format of the table and the files
	tarred bool        // the JSON is a file in a tar
}

// maxTable limits the size of a table, in compressed bytes.
const maxTable = 32 << 20

// The annotations of a layer with the digest of its table, and with its position in zstd:chunked layers.
// https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md,
// https://github.com/containers/storage/blob/main/docs/containers-storage-zstd-chunked.md
const (
	stargzDigest    = "containerd.io/snapshot/stargz/toc.digest"
	chunkedDigest   = "zstd-chunked.manifest-checksum"
	chunkedPosition = "zstd-chunked.manifest-position"
)

// chunkedPrefixes returns the prefixes that Podman's tools and containerd's converters write.
func chunkedPrefixes() []string { return []string{"io.github.containers.", "io.containers."} }

// TableDigest returns the digest of a layer's table of contents, from any of the annotations; "" if there is none.
func TableDigest(d v1.Descriptor) string {
	var all []string
	for _, prefix := range chunkedPrefixes() {
		all = append(all, d.Annotations[prefix+chunkedDigest])
	}
	all = append(all, d.Annotations[stargzDigest])
	return strings.Join(slices.Compact(slices.DeleteFunc(all, func(digest string) bool { return digest == "" })), ",")
}

// find returns where the table is. Runtimes use different annotations, so all of them must refer to the same table.
func (t *Table) find(ctx context.Context) (tableLocation, error) {
	var found []tableLocation
	for _, prefix := range chunkedPrefixes() {
		position := t.layer.Annotations[prefix+chunkedPosition]
		if position == "" {
			continue
		}
		p := tableLocation{packed: t.layer.Annotations[prefix+chunkedDigest], format: openZstd}
		var unpacked, kind int64
		_, err := fmt.Sscanf(position, "%d:%d:%d:%d", &p.off, &p.n, &unpacked, &kind)
		if err != nil || kind != 1 {
			return tableLocation{}, fmt.Errorf("%w: position %q", registry.ErrContent, position)
		}
		found = append(found, p)
	}
	if digest := t.layer.Annotations[stargzDigest]; digest != "" {
		p, err := t.atEnd(ctx)
		if err != nil {
			return tableLocation{}, err
		}
		p.text = digest
		found = append(found, p)
	}
	if len(found) == 0 {
		return tableLocation{}, errNoTable
	}
	p := found[0]
	for _, other := range found[1:] {
		if other.off != p.off || other.n != p.n || other.tarred != p.tarred ||
			!agreeOn(&p.packed, other.packed) || !agreeOn(&p.text, other.text) {
			return tableLocation{}, fmt.Errorf("%w: the annotations mean different tables, at %d and %d", registry.ErrContent,
				p.off, other.off)
		}
	}
	return p, t.checkLocation(p)
}

// agreeOn sets an empty value to the other one, and reports whether they agree.
func agreeOn(have *string, other string) bool {
	*have = cmp.Or(*have, other)
	return other == "" || *have == other
}

// atEnd finds the table by the layer's last bytes, as runtimes do for eStargz.
func (t *Table) atEnd(ctx context.Context) (tableLocation, error) {
	const size = 51
	end := t.layer.Size - size
	if end <= 0 {
		return tableLocation{}, errNoTable
	}
	footer := make([]byte, size)
	r, err := t.openRange(ctx, end, size)
	if err != nil {
		return tableLocation{}, err
	}
	defer r.Close()
	if _, err := io.ReadFull(r, footer); err != nil {
		return tableLocation{}, err
	}
	if p, ok := chunkedFooter(footer); ok {
		return p, nil
	}
	// The footer is an empty gzip member, whose extra field with the id SG has an offset in hexadecimal and STARGZ.
	const from, digits, magic = 16, 16, "STARGZ"
	off, err := strconv.ParseInt(string(footer[from:from+digits]), 16, 64)
	if err != nil || string(footer[12:14]) != "SG" || string(footer[from+digits:from+digits+len(magic)]) != magic {
		return tableLocation{}, fmt.Errorf("%w: %q is not an eStargz footer", registry.ErrContent, footer[:from+digits])
	}
	return tableLocation{off: off, n: end - off, format: openGzip, tarred: true}, nil
}

// chunkedFooter reads the end of a zstd:chunked layer as stargz-snapshotter does: the table's offset and compressed
// size.
func chunkedFooter(end []byte) (tableLocation, bool) {
	const size, magic = 40, "GnUlInUx"
	footer := end[len(end)-size:]
	if string(footer[size-len(magic):]) != magic {
		return tableLocation{}, false
	}
	off, n := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	return tableLocation{off: int64(min(off, math.MaxInt64)), n: int64(min(n, math.MaxInt64)), format: openZstd}, true
}

func (t *Table) checkLocation(p tableLocation) error {
	if p.off <= 0 || p.n <= 0 || p.off > t.layer.Size-p.n {
		return fmt.Errorf("%w: the table is at %d, of %d bytes, in a layer of %d", registry.ErrContent, p.off, p.n,
			t.layer.Size)
	}
	if p.n > maxTable {
		return &LimitError{What: "bytes of a table of contents", Limit: maxTable}
	}
	return nil
}

// openRange opens a range and counts the bytes that are read from it.
func (t *Table) openRange(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := t.ranges.Range(ctx, t.layer, off, n)
	if err != nil {
		return nil, err
	}
	return counted{io.LimitReader(r, n), r, t}, nil
}

// counted is a range that counts the bytes that are read from it.
type counted struct {
	io.Reader
	io.Closer

	table *Table
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.table.read.Add(int64(n))
	return n, err
}

// parse passes the entries of the table to add. They are valid only if there is no error, since the digest is
// verified at the end.
func (t *Table) parse(ctx context.Context, p tableLocation, add func(tableEntry) error) error {
	r, err := t.openRange(ctx, p.off, p.n)
	if err != nil {
		return err
	}
	defer r.Close()
	packedSum, textSum := sha256.New(), sha256.New()
	packed := io.TeeReader(bufio.NewReader(r), packedSum)
	unpacked, err := p.format(packed, usualWindow)
	if err != nil {
		return contentError(err)
	}
	defer unpacked.Close()
	text := io.Reader(unpacked)
	if p.tarred {
		archive := tar.NewReader(unpacked)
		if h, err := archive.Next(); err != nil || h.Name != "stargz.index.json" {
			return fmt.Errorf("%w: there is no table at its offset", registry.ErrContent)
		}
		text = archive
	}
	text = io.TeeReader(text, textSum)
	if err := readTable(text, add); err != nil {
		return err
	}
	for _, rest := range []io.Reader{text, packed} { // what follows the JSON counts too
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return contentError(err)
		}
	}
	return cmp.Or(sameDigest(packedSum, p.packed), sameDigest(textSum, p.text))
}

func sameDigest(sum hash.Hash, want string) error {
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("%w: it has the digest %s, the manifest says %q", registry.ErrContent, got, want)
	}
	return nil
}

func contentError(err error) error { return fmt.Errorf("%w: %w", registry.ErrContent, err) }
