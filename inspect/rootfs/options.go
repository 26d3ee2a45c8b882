package rootfs

import (
	"io"
	"io/fs"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Examiner returns what a regular file is. It may read any number of its bytes; r ends with the file and is valid
// during the call only. An error is stored as the File's Problem, with the Fact, unless it comes from r, which ends
// the layer. Several goroutines call Examiners at once.
type Examiner func(path string, mode fs.FileMode, size int64, r io.Reader) (binary.Fact, error)

// Examine is the usual Examiner: binary.Read of as much of the file as is needed.
func Examine(_ string, _ fs.FileMode, _ int64, r io.Reader) (binary.Fact, error) {
	return binary.Read(r, binary.Options{Whole: true})
}

// Extractor turns the bytes of a file into a text. It may read any number of them; r ends with the file or after 64
// MiB.
type Extractor func(r io.Reader) string

// Options of ScanLayer and ScanAll.
type Options struct {
	// Examine examines the files; nil: the function Examine.
	Examine Examiner
	// Examiner is a name for Examine and its version, which may be "". It is part of the facts, and those of Known are
	// used only if theirs is the same.
	Examiner string
	// Extract returns the Extractor of a file's text (File.Text), or nil if no text of it is stored; nil: of no file. It
	// is called for files that begin like a text and are not scripts, and for databases. The text may be "". Several
	// goroutines call Extractors at once. Their version is part of Examiner.
	Extract func(path string) Extractor
	// Limits bounds what is read; zero members mean the defaults.
	Limits Limits
	// Parallel is how many layers ScanAll unpacks at once; 0: one for each processor, at least 2 and at most 4. More are
	// fetched at once, if they are small.
	Parallel int
	// Known returns the facts of a layer that was read before; nil: none was. Several goroutines call it at once.
	Known func(digest v1.Hash) (LayerFacts, bool)
	// Compare compares layers that are read to their end with their tables of contents, if they have any.
	Compare bool
	// Enough is called from time to time while a layer of more than 1 MiB is read, and reports whether reading may stop;
	// nil: all layers are read to their end. The facts of an incompletely read layer say so (LayerFacts.Part): neither
	// its digest nor its diffID was verified, so a registry could serve other bytes later. Several goroutines call it at
	// once.
	Enough func(layer v1.Descriptor, seen func() (LayerFacts, error)) bool
	// Seen receives each verified layer, including known ones, as soon as it is ready; nil: not called. Several
	// goroutines call it at once.
	Seen func(layer Scanned)
}

// Limits bounds the cost of a layer. Exceeding one is a *LimitError.
type Limits struct {
	Headers  int64 // tar headers in a layer; 0: 1,000,000
	Unpacked int64 // uncompressed bytes of a layer; 0: 64 GiB
	// Ratio limits the compression ratio of a layer, and of all layers of a call together, once they have more than Free
	// bytes; 0: 200. For zeros both gzip (at most 1,032) and zstd reach far more.
	Ratio int64
	Free  int64 // uncompressed bytes for which Ratio does not apply; 0: 4 GiB
	Path  int   // bytes of a path or of a link's target; 0: 4,096, as in Linux
	Depth int   // directories in a path; 0: 256
	// Time limits the time for reading one layer; 0: an hour.
	Time time.Duration
	// Memory limits the memory for names and facts of all layers of a call together, in bytes, roughly; 0: 40 MiB,
	// enough for 400,000 files in layers that are read at once.
	Memory int64
}

const (
	// maxWindow limits the window of a zstd stream, in bytes. Streams that need more than usualWindow, which is that of
	// zstd's highest ordinary level, are rare, and are read one at a time.
	maxWindow   = 32 << 20
	usualWindow = 8 << 20
	// maxParallel keeps the buffers of layers that are read at once within some tens of MiB.
	maxParallel = 4
)

func (o Options) withDefaults() Options {
	if o.Examine == nil {
		o.Examine = Examine
	}
	if o.Parallel <= 0 {
		o.Parallel = min(max(2, runtime.GOMAXPROCS(0)), maxParallel)
	}
	l := &o.Limits
	l.Headers = orDefault(l.Headers, 1_000_000)
	l.Unpacked = orDefault(l.Unpacked, 64<<30)
	l.Ratio = orDefault(l.Ratio, 200)
	l.Free = orDefault(l.Free, 4<<30)
	l.Path = orDefault(l.Path, 4096)
	l.Depth = orDefault(l.Depth, 256)
	l.Time = orDefault(l.Time, time.Hour)
	l.Memory = orDefault(l.Memory, 40<<20)
	return o
}

func orDefault[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}
