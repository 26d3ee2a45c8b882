package rootfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("d/", 10)
	tests := []struct {
		name   string
		limits rootfs.Limits
		within lines
		over   lines
		what   string
	}{
		{
			"headers",
			rootfs.Limits{Headers: 2},
			lines{"plain a", "plain b"},
			lines{"plain a", "plain b", "plain c"},
			"tar headers",
		},
		{
			"headers with the same name",
			rootfs.Limits{Headers: 2},
			lines{"plain a", "plain a"},
			lines{"plain a", "plain a", "plain a"},
			"tar headers",
		},
		{"path", rootfs.Limits{Path: 10}, lines{"plain abcdefghij"}, lines{"plain abcdefghijk"}, "bytes of a path"},
		{"target", rootfs.Limits{Path: 10}, lines{"link a abcdefghij"}, lines{"link a abcdefghijk"}, "bytes of a path"},
		{
			"path through a link",
			rootfs.Limits{Path: 10},
			lines{"link a 23456789", "plain a/x"},
			lines{"link a b/3456789", "link c a/x/y/z", "plain c/x"},
			"bytes of a path",
		},
		{
			"depth",
			rootfs.Limits{Depth: 10},
			lines{"plain " + deep + "x", "dir " + deep},
			lines{"plain d/" + deep + "x"},
			"directories in a path",
		},
		{
			"depth of a directory",
			rootfs.Limits{Depth: 10},
			lines{"dir " + deep},
			lines{"dir " + deep + "x/"},
			"directories in a path",
		},
		{
			"depth of a whiteout",
			rootfs.Limits{Depth: 10},
			lines{"gone " + deep + "x"},
			lines{"gone d/" + deep + "x"},
			"directories in a path",
		},
		{
			"unpacked",
			rootfs.Limits{Unpacked: 4096},
			lines{"elf a arm64", "elf b arm64"}[:1],
			slices.Repeat(lines{"elf a arm64"}, 9), "unpacked bytes",
		},
		{"memory of plain names", rootfs.Limits{Memory: 2000}, lines{"plain a"}, many("plain"), "bytes of memory for names"},
		{"memory of directories", rootfs.Limits{Memory: 2000}, lines{"dir a/"}, many("dir"), "bytes of memory for names"},
		{"memory of whiteouts", rootfs.Limits{Memory: 2000}, lines{"gone a"}, many("gone"), "bytes of memory for names"},
		{"memory of programs", rootfs.Limits{Memory: 3000}, lines{"elf a arm64"}, many("elf"), "bytes of memory for names"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := scanWith(t, tarOf(t, tt.within...), rootfs.Options{Limits: tt.limits}); err != nil {
				t.Errorf("within the limit: %v", err)
			}
			data := tarOf(t, tt.over...)
			_, err := scanWith(t, data, rootfs.Options{Limits: tt.limits})
			limit, ok := errors.AsType[*rootfs.LimitError](err)
			if !ok || limit.What != tt.what || limit.Layer != digestOf(t, data) || !errors.Is(err, rootfs.ErrLimit) {
				t.Errorf("over the limit: got %v, want too many %s", err, tt.what)
			}
		})
	}
}

// many returns 50 entries with different names.
func many(word string) lines {
	var all lines
	for i := range 50 {
		all = append(all, fmt.Sprintf("%s n%d arm64", word, i))
	}
	return all
}

// zeros is an endless reader of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// bomb returns a layer with one file of size zeros, compressed with zstd, as a stream that is never stored.
func bomb(t *testing.T, size int64) io.ReadCloser {
	t.Helper()
	r, w := io.Pipe()
	go func() {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err == nil {
			archive := tar.NewWriter(z)
			_ = archive.WriteHeader(&tar.Header{Name: "zeros", Size: size, Format: tar.FormatGNU})
			_, err = io.CopyN(archive, zeros{}, size)
			err = errors.Join(err, archive.Close(), z.Close())
		}
		w.CloseWithError(err)
	}()
	return r
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	// a terabyte of the same file: the time runs out before any other limit is reached
	in := &headers{block: tarOf(t, "elf a arm64")[:1024], left: 1 << 40}
	_, err := rootfs.ScanLayer(t.Context(), in, rootfs.Layer{},
		rootfs.Options{Limits: rootfs.Limits{Time: time.Second / 10, Headers: 1 << 40}})
	if limit, ok := errors.AsType[*rootfs.LimitError](err); !ok || limit.What != "seconds" {
		t.Errorf("got %v", err)
	}
}

// Windows of more than 8 MiB are read, one layer at a time; windows of more than 32 MiB are not.
func TestWideWindows(t *testing.T) {
	t.Parallel()
	wide := func(name string, window int) []byte {
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(tarOf(t, "elf "+name+" arm64")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(z.Flush(), z.Close()); err != nil { // flushed, so that the header does not state the whole size
			t.Fatal(err)
		}
		return b.Bytes()
	}
	_, layers := newBlobs(t, wide("a", 32<<20), wide("b", 16<<20), wide("c", 64<<20), wide("d", 1<<20))
	got, err := rootfs.ScanAll(t.Context(), layers, rootfs.Options{Parallel: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range []bool{true, true, false, true} {
		if unchecked, is := errors.AsType[*rootfs.UncheckedError](got[i].Err); (got[i].Err == nil) != ok ||
			!ok && (!is || unchecked.Reason != rootfs.Window) {
			t.Errorf("layer %d: %v", i, got[i].Err)
		}
	}
}

// Above Limits.Free, the unpacked size is compared with the compressed size, of one layer and of several together. The
// test uses a smaller Free.
func TestBombs(t *testing.T) {
	t.Parallel()
	const free = 16 << 20
	scan := func(size int64, l rootfs.Limits) error {
		r := bomb(t, size)
		defer r.Close()
		_, err := rootfs.ScanLayer(t.Context(), r, rootfs.Layer{}, rootfs.Options{Limits: l})
		return err
	}
	if err := scan(2*free, rootfs.Limits{}); err != nil {
		t.Errorf("a file of zeros within the 4 GiB that are free: %v", err)
	}
	if err := scan(free/2, rootfs.Limits{Free: free}); err != nil {
		t.Errorf("a small file of zeros: %v", err)
	}
	if err := scan(2*free, rootfs.Limits{Free: free}); !tooDense(err) {
		t.Errorf("a ratio of more than 200: got %v", err)
	}
	if err := scan(2*free, rootfs.Limits{Free: free, Ratio: 1 << 40}); err != nil {
		t.Errorf("a ratio that is allowed: got %v", err)
	}
	var gzips [][]byte
	for range 3 {
		gzips = append(gzips, gzipOf(t, io.LimitReader(zeros{}, free/2+int64(len(gzips))*512)))
	}
	_, layers := newBlobs(t, gzips...)
	for limit, dense := range map[int64]bool{free: true, 4 * free: false} {
		got, err := rootfs.ScanAll(t.Context(), layers, rootfs.Options{Limits: rootfs.Limits{Free: limit}})
		if err != nil {
			t.Fatal(err)
		}
		if found := slices.ContainsFunc(got, func(s rootfs.Scanned) bool { return tooDense(s.Err) }); found != dense {
			t.Errorf("three layers of %d bytes of zeros, %d free: too dense %v", free/2, limit, found)
		}
	}
	// A layer that compresses badly does not compensate for one of zeros.
	noise := gzipOf(t, io.LimitReader(rand.NewChaCha8([32]byte{}), 1<<20))
	_, layers = newBlobs(t, noise, gzipOf(t, io.LimitReader(zeros{}, 2*free)))
	got, err := rootfs.ScanAll(t.Context(), layers, rootfs.Options{Parallel: 1, Limits: rootfs.Limits{Free: free}})
	if err != nil || got[0].Err != nil || !tooDense(got[1].Err) {
		t.Errorf("a layer of zeros after a layer of noise: %v, %+v", err, got)
	}
}

func tooDense(err error) bool {
	limit, ok := errors.AsType[*rootfs.LimitError](err)
	return ok && limit.What == "unpacked bytes for a compressed one" && limit.Limit == 200
}

// gzipOf returns a layer with one file, whose content it reads from r.
func gzipOf(t *testing.T, r io.Reader) []byte {
	t.Helper()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	archive := tar.NewWriter(z)
	err = archive.WriteHeader(&tar.Header{Name: "zeros", Size: int64(len(content))})
	_, werr := archive.Write(content)
	if err := errors.Join(err, werr, archive.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// headers is a reader that repeats a block left bytes long.
type headers struct {
	block []byte
	off   int
	left  int64
}

func (h *headers) Read(p []byte) (int, error) {
	if h.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, h.block[h.off:])
	h.off = (h.off + n) % len(h.block)
	h.left -= int64(n)
	return n, nil
}

func TestEndlessHeaders(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: strings.Repeat("n", 3000), Format: tar.FormatPAX}); err != nil {
		t.Fatal(err)
	}
	block := b.Bytes()[:b.Len()-512] // without the file's own header
	in := &headers{block: block, left: 1 << 40}
	_, err := rootfs.ScanLayer(t.Context(), in, rootfs.Layer{}, rootfs.Options{Limits: rootfs.Limits{Unpacked: 64 << 20}})
	if limit, ok := errors.AsType[*rootfs.LimitError](err); !ok || limit.What != "unpacked bytes" {
		t.Errorf("a terabyte of headers: got %v", err)
	}
}

func TestLongHeader(t *testing.T) {
	t.Parallel()
	for _, kind := range []byte{tar.TypeXHeader, tar.TypeXGlobalHeader, tar.TypeGNULongName, tar.TypeGNULongLink} {
		for _, size := range []int{1 << 10, 2 << 20} {
			h := make([]byte, 512, 512+size)
			copy(h, "extension")
			copy(h[124:], octal(size))
			h[156] = kind
			copy(h[257:], "ustar\x0000")
			sum(h)
			name := strings.Repeat("n", size-1) + "\x00"
			if kind == tar.TypeXHeader || kind == tar.TypeXGlobalHeader {
				record := fmt.Sprintf("%d comment=", size)
				name = record + strings.Repeat("n", size-len(record)-1) + "\n"
			}
			_, err := scanWith(t, slices.Concat(h, []byte(name), tarOf(t, "elf a arm64")), rootfs.Options{})
			if long := size > 1<<20; long != errors.Is(err, rootfs.ErrLimit) || !long && err != nil {
				t.Errorf("an extension %q of %d bytes: got %v", kind, size, err)
			}
		}
	}
}

func TestLongLinkChains(t *testing.T) {
	t.Parallel()
	chain := lines{"dir d/"}
	for i := range 39 {
		chain = append(chain, fmt.Sprintf("link l%d %sl%d", i+1, strings.Repeat("./", 2000), i))
	}
	chain = append(chain, "link l0 d")
	for i := range 100 {
		chain = append(chain, "text l39/a", "plain d/b"+fmt.Sprint(i))
	}
	if _, err := scanWith(t, tarOf(t, chain...), rootfs.Options{}); err != nil {
		t.Errorf("100 paths through long links: %v", err)
	}
	for i := range 400 {
		chain = append(chain, "hard h"+fmt.Sprint(i)+" l39/a")
	}
	_, err := scanWith(t, tarOf(t, chain...), rootfs.Options{})
	if limit, ok := errors.AsType[*rootfs.LimitError](err); !ok || limit.What != "bytes of links on the way to names" {
		t.Errorf("500 paths through long links: got %v", err)
	}
}

func TestHolesAreNotCounted(t *testing.T) {
	t.Parallel()
	o := rootfs.Options{
		Limits: rootfs.Limits{Unpacked: 1 << 20},
		Examine: func(_ string, _ fs.FileMode, _ int64, r io.Reader) (binary.Fact, error) {
			_, err := io.Copy(io.Discard, r)
			return binary.Fact{}, err
		},
	}
	if _, err := scanWith(t, sparse(t, "gnu", []byte("x"), 1000<<10), o); err != nil {
		t.Errorf("a hole within the limit: %v", err)
	}
	_, err := scanWith(t, sparse(t, "gnu", []byte("x"), 1<<60), o)
	if limit, ok := errors.AsType[*rootfs.LimitError](err); !ok || limit.Path != "big" {
		t.Errorf("an Examiner that reads an endless hole: got %v", err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	in := &headers{block: tarOf(t, "elf a arm64")[:1024], left: 1 << 40} // the same file forever
	o := rootfs.Options{Examine: func(string, fs.FileMode, int64, io.Reader) (binary.Fact, error) {
		cancel(nil)
		return binary.Fact{}, nil
	}}
	if _, err := rootfs.ScanLayer(ctx, in, rootfs.Layer{}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestMemory compares the estimated memory with the heap: for a layer with more entries than a quarter of the default
// limit allows, the heap stays below twice the limit, because the garbage collector lets it double.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("measures the heap of this process, alone")
	}
	r, w := io.Pipe()
	defer r.Close()
	go func() {
		archive := tar.NewWriter(w)
		for i := range 1_000_000 {
			if archive.WriteHeader(&tar.Header{
				Name:   fmt.Sprintf("node_modules/some-package-%d/lib/file-%d.js", i/400, i),
				Format: tar.FormatUSTAR,
			}) != nil {
				return
			}
		}
		w.CloseWithError(archive.Close())
	}()
	const limit, rest = 16 << 20, 8 << 20
	var most uint64
	_, err := rootfs.ScanLayer(t.Context(), &sampling{r: r, most: &most}, rootfs.Layer{},
		rootfs.Options{Limits: rootfs.Limits{Memory: limit}})
	if !errors.Is(err, rootfs.ErrLimit) {
		t.Errorf("a million files: got %v, want %v", err, rootfs.ErrLimit)
	}
	if most > 2*limit+rest {
		t.Errorf("%d MB of heap for a limit of %d", most>>20, limit>>20)
	}
}

// sampling samples the heap every 4 MiB of the layer and keeps the maximum.
type sampling struct {
	r       io.Reader
	n, next int64
	most    *uint64
}

func (s *sampling) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.n += int64(n); s.n >= s.next {
		s.next = s.n + 4<<20
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*s.most = max(*s.most, m.HeapInuse)
	}
	return n, err
}
