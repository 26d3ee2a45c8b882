package rootfs

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Ranges reads parts of blobs without verifying them: a *remote.Repository.
type Ranges interface {
	Range(ctx context.Context, d v1.Descriptor, off, n int64) (io.ReadCloser, error)
}

// Tables reads layers by their tables of contents, if they have one (eStargz, zstd:chunked).
type Tables struct {
	options Options
	budget  *memoryBudget
}

// NewTables returns Tables with the Limits of o. Memory applies to all tables together.
func NewTables(o Options) *Tables {
	o = o.withDefaults()
	return &Tables{options: o, budget: &memoryBudget{limit: o.Limits.Memory}}
}

// Table is a layer of which only the table of contents and single files are read. The manifest has the digest of the
// table, and the table those of the files. Whether the tar has the same files is known only after reading all of it.
// Only one goroutine at a time may use a Table.
type Table struct {
	ranges  Ranges
	layer   v1.Descriptor
	options Options
	format  tableFormat
	facts   LayerFacts
	begins  []int64 // the offsets of parts of files, and of the table; sorted
	read    atomic.Int64
	rows    map[string]*tableRow // filled if it is not nil
}

// Open reads the table of a layer. After any error, except that of ctx, the layer must be read as a stream: there is
// no table, it is not the one in the manifest, the registry does not send ranges, or a limit is exceeded.
func (t *Tables) Open(ctx context.Context, ranges Ranges, d v1.Descriptor) (*Table, error) {
	if err := readable(d); err != nil {
		return nil, err
	}
	table := &Table{ranges: ranges, layer: d, options: t.options}
	if err := table.open(ctx, t.budget); err != nil {
		return nil, fmt.Errorf("reading the table of contents of layer %s: %w", d.Digest, err)
	}
	return table, nil
}

func (t *Table) open(ctx context.Context, p *memoryBudget) error {
	location, err := t.find(ctx)
	if err != nil {
		return err
	}
	t.format = location.format
	l := listing{table: t, budget: p}
	l.scan = scan{view: newView(t.options.Limits, p), options: t.options, list: l.regular}
	defer l.scan.view.discard()
	if err := t.parse(ctx, location, l.add); err != nil {
		return err
	}
	t.begins = append(l.begins, location.off)
	slices.Sort(t.begins)
	t.facts = LayerFacts{
		Schema: Schema, Examiner: t.options.Examiner, Digest: t.layer.Digest, Size: t.layer.Size,
		Part: Listed, Headers: l.scan.headers,
	}
	return l.scan.view.describe(&t.facts, p)
}

// Facts returns the facts so far, as a copy that does not change.
func (t *Table) Facts() LayerFacts { return t.facts }

// Read returns how many compressed bytes were read.
func (t *Table) Read() int64 { return t.read.Load() }

// Examine reads the file at path, an Unread file of Facts. The next Facts have the result.
func (t *Table) Examine(ctx context.Context, path string) error {
	at, ok := slices.BinarySearchFunc(t.facts.Files, path,
		func(f File, path string) int { return cmp.Compare(f.Path, path) })
	if !ok {
		return fmt.Errorf("reading %q by the table of contents: %w", path, ErrMissing)
	}
	file := t.facts.Files[at]
	body := newPartReader(ctx, t, file.parts)
	fact, err := t.options.Examine(path, file.Mode, file.Size, body)
	if failed := body.finish(); failed != nil {
		return fmt.Errorf("reading %q by the table of contents of layer %s: %w", path, t.layer.Digest, failed)
	}
	if file.Type = Plain; err != nil || isProgram(fact.Kind) {
		file.Type, file.Fact = Program, &fact
	}
	if err != nil {
		file.Problem = err.Error()
	}
	t.facts.Files = slices.Clone(t.facts.Files)
	t.facts.Files[at] = file
	return nil
}

// listing builds the view of a layer from its table.
type listing struct {
	table  *Table
	scan   scan
	budget *memoryBudget
	last   *File // the regular file that chunks belong to
	row    *tableRow
	begins []int64
}

// regular adds a file that is not read yet.
func (l *listing) regular(name string, mode fs.FileMode, size int64) error {
	l.last = &File{Type: Unread, Mode: mode, Size: size}
	return l.scan.view.put(name, &node{file: l.last})
}

func (l *listing) add(e tableEntry) error {
	if e.Type == "chunk" {
		return l.chunk(e)
	}
	h, err := e.header()
	if err != nil {
		return err
	}
	if l.scan.headers++; l.scan.headers > l.table.options.Limits.Headers {
		return &LimitError{What: "entries of a table of contents", Limit: l.table.options.Limits.Headers}
	}
	l.last, l.row = nil, nil
	if err := l.keepRow(&h); err != nil {
		return err
	}
	if err := l.scan.entry(&h); err != nil || l.last == nil {
		return err
	}
	return l.chunk(e)
}

// keepRow keeps the row, to compare it with the tar.
func (l *listing) keepRow(h *tar.Header) error {
	rows := l.table.rows
	if rows == nil || clean(h.Name) == "" {
		return nil
	}
	l.row = &tableRow{kind: kindOf(h.Typeflag), target: targetOf(h), runnable: h.Mode&0o111 != 0, size: h.Size}
	rows[clean(h.Name)] = l.row
	return l.budget.take(int64(nameCost + fileCost + len(h.Name) + len(h.Linkname)))
}

// chunk adds a part to the last listed file.
func (l *listing) chunk(e tableEntry) error {
	if l.last == nil {
		return fmt.Errorf("%w: a chunk without a file", registry.ErrContent)
	}
	p, err := e.part(l.last.Size, l.table.layer.Size)
	if err != nil {
		return fmt.Errorf("entry %q: %w", e.Name, err)
	}
	l.last.parts = append(l.last.parts, p)
	if l.row != nil {
		l.row.parts = l.last.parts
	}
	l.begins = append(l.begins, p.off)
	const cost = 100
	return l.budget.take(cost)
}

var errNoTable = errors.New("no table of contents")
