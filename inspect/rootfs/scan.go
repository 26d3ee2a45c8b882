package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Layer is a layer to read: its descriptor in the image manifest, and its diffID in the image config.
type Layer struct {
	Descriptor v1.Descriptor
	DiffID     v1.Hash // rootfs.diff_ids of the config; zero: not compared
}

// ScanLayer reads a layer from r to its end. r must fail at its end unless its digest and size are right, as the
// blobs of a registry.Source do: ScanLayer itself only compares the diffID. ctx stops the work between two reads of
// r.
//
// Errors wrap ErrUnchecked or ErrLimit if the layer can't be read, and registry.ErrContent if it is broken or has
// another diffID. There are no facts about a layer that failed.
func ScanLayer(ctx context.Context, r io.Reader, l Layer, o Options) (LayerFacts, error) {
	o = o.withDefaults()
	return scanLayer(ctx, r, l, o, &memoryBudget{limit: o.Limits.Memory})
}

func scanLayer(ctx context.Context, r io.Reader, l Layer, o Options, p *memoryBudget) (LayerFacts, error) {
	facts, err := scanAny(ctx, r, l.Descriptor, o, scanWork{budget: p, totals: &totals{}, window: maxWindow})
	if err == nil {
		err = l.checkDiffID(facts)
	}
	if err != nil {
		return LayerFacts{}, l.wrap(err)
	}
	return facts, nil
}

// scanWork has what the scans of one call share, and the table with which a layer is compared.
type scanWork struct {
	budget  *memoryBudget
	totals  *totals
	compare *comparison // nil: nothing
	window  uint64      // zstd's maximum, in bytes
}

// scanAny reads the layer without verifying digests.
func scanAny(ctx context.Context, r io.Reader, d v1.Descriptor, o Options, w scanWork) (LayerFacts, error) {
	p := w.budget
	if err := readable(d); err != nil {
		return LayerFacts{}, err
	}
	in, err := openStream(ctx, r, o.Limits, w)
	if err != nil {
		return LayerFacts{}, err
	}
	defer in.close()
	s := scan{view: newView(o.Limits, p), options: o, in: in, tar: tar.NewReader(in), compare: w.compare}
	s.body = body{r: s.tar, remaining: o.Limits.Unpacked}
	if o.Enough != nil {
		s.enough = func() bool {
			return o.Enough(d, func() (LayerFacts, error) { return s.facts(d, Beginning, p.remaining()) })
		}
	}
	defer s.view.discard()
	err = s.all()
	if errors.Is(err, errEnough) {
		return s.facts(d, Beginning, p)
	}
	if err != nil {
		return LayerFacts{}, err
	}
	return s.facts(d, Whole, p)
}

// facts returns the facts so far.
func (s *scan) facts(d v1.Descriptor, part Part, p *memoryBudget) (LayerFacts, error) {
	facts := LayerFacts{
		Schema: Schema, Examiner: s.options.Examiner, Digest: d.Digest, Part: part,
		Size: s.in.raw, Unpacked: s.in.n, Headers: s.headers,
	}
	if part == Whole {
		facts.DiffID, facts.Table = s.in.diffID(), s.compare.result()
	}
	err := s.view.describe(&facts, p)
	return facts, err
}

// checkDiffID compares the diffID.
func (l Layer) checkDiffID(facts LayerFacts) error {
	if l.DiffID != (v1.Hash{}) && l.DiffID != facts.DiffID && facts.Part == Whole {
		return fmt.Errorf("%w: its diffID is %s, the config says %s", registry.ErrContent,
			facts.DiffID, l.DiffID)
	}
	return nil
}

// wrap adds to an error which layer it is about.
func (l Layer) wrap(err error) error {
	if limit, ok := errors.AsType[*LimitError](err); ok {
		limit.Layer = l.Descriptor.Digest
	}
	if unchecked, ok := errors.AsType[*UncheckedError](err); ok {
		unchecked.Layer = l.Descriptor.Digest
	}
	return fmt.Errorf("reading layer %s: %w", l.Descriptor.Digest, err)
}

// readable returns an error if a layer can't be read because of its media type.
func readable(d v1.Descriptor) error {
	t := string(d.MediaType)
	reason := NotALayer
	switch {
	case strings.HasSuffix(t, "+encrypted"): // https://github.com/containers/ocicrypt
		reason = Encrypted
	case !d.MediaType.IsDistributable():
		reason = Foreign
	case t == "", strings.HasPrefix(t, "application/vnd.oci.image.layer.v1.tar"),
		strings.HasPrefix(t, "application/vnd.docker.image.rootfs.diff.tar"):
		return nil
	}
	return &UncheckedError{Reason: reason, Detail: t}
}

// scan reads the entries of one layer.
type scan struct {
	view      *view
	options   Options
	in        *stream
	tar       *tar.Reader
	body      body
	headers   int64
	enough    func() bool // nil: the layer is read to its end
	checkedAt int64       // the offset, in unpacked bytes, at which enough was last called
	compare   *comparison // with the table of contents; nil: there is none
	// list records a regular file whose content is not in the stream; nil: it is.
	list func(name string, mode fs.FileMode, size int64) error
}

// errEnough ends a layer that need not be read further.
var errEnough = errors.New("enough")

// checkDue reports whether to call enough before the rest of a file is skipped: after the first MiB, and then after
// every quarter more, since the answer takes longer the more was read.
func (s *scan) checkDue(size int64) bool {
	const first = 1 << 20
	next := s.in.n + size
	if s.enough == nil || next < first || next < s.checkedAt+max(first, s.checkedAt/4) {
		return false
	}
	s.checkedAt = next
	return true
}

func (s *scan) all() error {
	for {
		h, err := s.tar.Next()
		if errors.Is(err, io.EOF) {
			return s.in.drain()
		}
		if err != nil && (h == nil || !errors.Is(err, tar.ErrInsecurePath)) { // clean makes such paths harmless
			return s.explain(err)
		}
		if s.headers++; s.headers > s.options.Limits.Headers {
			return &LimitError{What: "tar headers", Limit: s.options.Limits.Headers}
		}
		if err := s.entry(h); err != nil {
			return err
		}
		if s.checkDue(h.Size) && s.enough() {
			return errEnough
		}
	}
}

// explain returns the error of the stream, if it had one; otherwise it says that the bytes are an invalid tar
// archive.
func (s *scan) explain(err error) error {
	switch {
	case s.in.err != nil && !errors.Is(s.in.err, io.EOF):
		return s.in.err
	case errors.Is(err, tar.ErrFieldTooLong): // the tar reader's own limit for PAX records, long names and sparse maps
		return &LimitError{What: "bytes of a tar header's extension", Limit: 1 << 20}
	}
	return fmt.Errorf("after %d tar headers: %w: %w", s.headers, registry.ErrContent, err)
}

func (s *scan) entry(h *tar.Header) error {
	limit := s.options.Limits.Path
	if long := max(len(h.Name), len(h.Linkname)); long > limit {
		return &LimitError{What: "bytes of a path", Limit: int64(limit), Path: h.Name}
	}
	name := clean(h.Name)
	err := checkSpecial(name, h)
	if err != nil || name == "" && (h.Typeflag == tar.TypeXGlobalHeader || h.Typeflag == tar.TypeDir) {
		return err
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return s.view.skip(name)
	}
	s.compare.entry(name, h)
	err = s.apply(name, h)
	switch {
	case err == nil, errors.Is(err, ErrLimit), errors.Is(err, ErrUnchecked),
		s.in != nil && s.in.err != nil && errors.Is(err, s.in.err):
		return err
	case errors.Is(err, registry.ErrContent):
		return fmt.Errorf("entry %q: %w", name, err)
	}
	return fmt.Errorf("entry %q: %w: %w", name, registry.ErrContent, err)
}

// clean removes leading slashes and dots, and "..", which can't leave the root.
func clean(name string) string {
	short := strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
	if !strings.HasPrefix(short, ".") && !strings.HasPrefix(short, "/") && !strings.Contains(short, "/.") &&
		!strings.Contains(short, "//") && !strings.HasSuffix(short, "/") {
		return short // the usual case, without a copy
	}
	return path.Clean("/" + name)[1:]
}

func (s *scan) apply(name string, h *tar.Header) error {
	if name == "" {
		return errors.New("the root is not a directory")
	}
	if gone, ok := strings.CutPrefix(base(name), whiteout); ok {
		switch {
		case base(name) != opaque && strings.HasPrefix(base(name), metadata): // some runtimes treat it as a whiteout
			return s.view.skip(join(parent(name), gone))
		case gone == "", gone == ".", gone == "..":
			return errors.New("a whiteout of nothing")
		}
		return s.view.hide(name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return s.view.put(name, newDir(0))
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		return s.regular(name, h)
	case tar.TypeSymlink:
		if h.Linkname == "" {
			return errors.New("a link to nothing")
		}
		return s.view.put(name, &node{file: &File{Type: Symlink, Target: h.Linkname}})
	case tar.TypeLink:
		return s.hardlink(name, h)
	case tar.TypeChar, tar.TypeBlock:
		return s.view.putDevice(name)
	case tar.TypeFifo:
		return s.view.put(name, s.view.plain)
	}
	return fmt.Errorf("unknown tar header type %q", h.Typeflag)
}

// hardlink puts the same file under another name, as it is now. A later entry under either name is another file.
func (s *scan) hardlink(name string, h *tar.Header) error {
	if slices.Contains(strings.Split(h.Linkname, "/"), "..") {
		return ambiguous(name, `a hard link whose target has ".."`)
	}
	target := clean(h.Linkname)
	n, err := s.view.find(target)
	mode := fs.FileMode(h.Mode).Perm()
	switch {
	case err != nil:
		return err
	case n == nil:
		n = &node{file: &File{Type: Hardlink, Target: target, Mode: mode}}
	case n.dir:
		return fmt.Errorf("a hard link to the directory %q", target)
	case !n.device && !n.isLink() && n.executable() != (mode&0o111 != 0):
		return ambiguous(name, "a hard link that makes its target executable, or takes that away")
	case n.file != nil:
		file := *n.file
		n = &node{file: &file}
	}
	return s.view.put(name, n)
}
