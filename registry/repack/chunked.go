package repack

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/vbatts/tar-split/archive/tar"
	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"

	"mtool/registry"
)

// packChunked packs a layer of zstd frames, one for the content of each file. Behind them are frames that decoders
// skip: the table of contents; the headers of the tar, by which clients make the tar again of files that they have
// already; and where both are.
func (f Format) packChunked(w io.Writer, r io.Reader) (map[string]string, error) {
	c := chunker{out: newCounter(w)}
	var err error
	if c.frame, err = f.encoder(c.out); err == nil {
		c.table, err = f.newPart()
	}
	if err == nil {
		c.split, err = f.newPart()
	}
	if err != nil {
		return nil, err
	}
	defer c.frame.Close() //nolint:errcheck // after an error; else it is closed below
	if err := c.table.write(`{"version":1,"entries":[`); err != nil {
		return nil, err
	}
	if err := c.files(r); err != nil {
		return nil, err
	}
	if err := errors.Join(c.frame.Close(), c.split.z.Close()); err != nil {
		return nil, err
	}
	if err := c.table.write(`],"tarSplitDigest":"sha256:%x"}`, sha256.Sum256(c.split.packed.Bytes())); err != nil {
		return nil, err
	}
	if err := c.table.z.Close(); err != nil {
		return nil, err
	}
	return c.end()
}

// chunker is the state of one packChunked.
type chunker struct {
	out          *counter
	frame        *zstd.Encoder
	table, split *part
	rows         int
}

// part is what follows the files, compressed.
type part struct {
	packed bytes.Buffer
	plain  *counter
	z      *zstd.Encoder
}

func (f Format) newPart() (*part, error) {
	p := &part{}
	var err error
	p.z, err = f.encoder(&p.packed)
	p.plain = newCounter(p.z)
	return p, err
}

func (p *part) write(format string, args ...any) error {
	_, err := fmt.Fprintf(p.plain, format, args...)
	return err
}

// files packs the tar, and lists its files.
func (c *chunker) files(r io.Reader) error {
	stream, done, err := asm.NewInputTarStreamWithDone(r, storage.NewJSONPacker(c.split.plain), nil)
	if err != nil {
		return err
	}
	err = c.entries(stream)
	if err == nil {
		_, err = io.Copy(c.frame, stream) // zeros behind the end
	}
	// The packer of headers ends in any case; where the files can't be read it says so too.
	err = errors.Join(err, stream.Close())
	if split := <-done; err == nil && split != nil {
		err = fmt.Errorf("%w: %w", registry.ErrContent, split)
	}
	return err
}

func (c *chunker) entries(stream io.Reader) error {
	t := tar.NewReader(stream)
	t.RawAccounting = true
	for {
		h, err := t.Next()
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return fmt.Errorf("listing its files: %w: %w", registry.ErrContent, err)
		}
		if _, err := c.frame.Write(t.RawBytes()); err != nil {
			return err
		}
		if ended {
			return nil
		}
		if err := c.entry(h, t); err != nil {
			return fmt.Errorf("packing %q: %w", h.Name, err)
		}
	}
}

// entry packs the content of a file as one frame, and adds its row to the table.
func (c *chunker) entry(h *tar.Header, body io.Reader) error {
	row, err := rowOf(h)
	if err != nil {
		return err
	}
	if h.Size > 0 && row.Type == "reg" {
		if row.Offset, err = c.nextFrame(); err != nil {
			return err
		}
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(c.frame, sum), body); err != nil {
			return fmt.Errorf("%w: %w", registry.ErrContent, err)
		}
		if row.EndOffset, err = c.nextFrame(); err != nil {
			return err
		}
		row.Digest = hashOf(sum).String()
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	separator := ","
	if c.rows++; c.rows == 1 {
		separator = ""
	}
	return c.table.write("%s%s", separator, text)
}

// nextFrame ends a frame and returns where the next one begins.
func (c *chunker) nextFrame() (int64, error) {
	err := c.frame.Close()
	c.frame.Reset(c.out)
	return c.out.n, err
}

// end writes what follows the files. The layer ends with the places of all of it; clients read the annotations.
func (c *chunker) end() (map[string]string, error) {
	footer := make([]byte, 0, 64)
	place := func(p *part) (off, n, plain int64, err error) {
		off, n, plain = c.out.n+8, int64(p.packed.Len()), p.plain.n
		return off, n, plain, c.skipped(p.packed.Bytes())
	}
	off, n, plain, err := place(c.table)
	if err != nil {
		return nil, err
	}
	splitOff, splitN, splitPlain, err := place(c.split)
	if err != nil {
		return nil, err
	}
	const kind = 1 // of the table: as in stargz
	for _, number := range []int64{off, n, plain, kind, splitOff, splitN, splitPlain} {
		footer = binary.LittleEndian.AppendUint64(footer, uint64(number))
	}
	return map[string]string{
		tableDigest:   fmt.Sprintf("sha256:%x", sha256.Sum256(c.table.packed.Bytes())),
		tablePosition: fmt.Sprintf("%d:%d:%d:%d", off, n, plain, kind),
		splitPosition: fmt.Sprintf("%d:%d:%d", splitOff, splitN, splitPlain),
	}, c.skipped(append(footer, "GNUlInUx"...))
}

// skipped writes a frame that decoders skip. https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2
func (c *chunker) skipped(data []byte) error {
	head := binary.LittleEndian.AppendUint32([]byte("\x50\x2a\x4d\x18"), uint32(len(data)))
	_, err := c.out.Write(append(head, data...))
	return err
}

// row is a file in the table of contents.
type row struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	LinkName   string            `json:"linkName,omitempty"`
	Mode       int64             `json:"mode,omitempty"`
	Size       int64             `json:"size,omitempty"`
	UID        int               `json:"uid,omitempty"`
	GID        int               `json:"gid,omitempty"`
	Modified   *time.Time        `json:"modtime,omitempty"`
	Accessed   *time.Time        `json:"accesstime,omitempty"`
	Changed    *time.Time        `json:"changetime,omitempty"`
	DevMajor   int64             `json:"devMajor,omitempty"`
	DevMinor   int64             `json:"devMinor,omitempty"`
	Attributes map[string]string `json:"xattrs,omitempty"`
	Digest     string            `json:"digest,omitempty"`
	Offset     int64             `json:"offset,omitempty"`
	EndOffset  int64             `json:"endOffset,omitempty"`
}

// rowTypes names what a table lists.
var rowTypes = map[byte]string{
	tar.TypeReg: "reg", tar.TypeRegA: "reg", tar.TypeLink: "hardlink", tar.TypeSymlink: "symlink", tar.TypeDir: "dir",
	tar.TypeChar: "char", tar.TypeBlock: "block", tar.TypeFifo: "fifo",
}

// rowOf describes a file. A table holds text alone, and clients take it instead of the tar.
func rowOf(h *tar.Header) (row, error) {
	kind, known := rowTypes[h.Typeflag]
	if !known {
		return row{}, fmt.Errorf("%w: a table of contents has no files of type %q", registry.ErrContent, h.Typeflag)
	}
	if !utf8.ValidString(h.Name) || !utf8.ValidString(h.Linkname) {
		return row{}, fmt.Errorf("%w: a table of contents has only names in UTF-8", registry.ErrContent)
	}
	r := row{
		Type: kind, Name: h.Name, LinkName: h.Linkname, Mode: h.Mode, Size: h.Size, UID: h.Uid, GID: h.Gid,
		Modified: date(h.ModTime), Accessed: date(h.AccessTime), Changed: date(h.ChangeTime),
		DevMajor: h.Devmajor, DevMinor: h.Devminor, Attributes: map[string]string{},
	}
	for name, value := range h.PAXRecords {
		if name, is := strings.CutPrefix(name, "SCHILY.xattr."); is {
			r.Attributes[name] = base64.StdEncoding.EncodeToString([]byte(value))
		}
	}
	return r, nil
}

// date leaves out a time that the tar does not have. All are in UTC, whatever the machine's zone.
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
