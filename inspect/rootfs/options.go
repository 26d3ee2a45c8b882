package rootfs

import (
	"io"
	"io/fs"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Examiner says what a regular file is, from its first bytes or as many as it wants; r ends with the file and is valid
// during the call only. An error is kept as the File's Problem, with the Fact, unless it comes from r, which ends the
// layer. Examiners are called by several goroutines at once.
type Examiner func(path string, mode fs.FileMode, size int64, r io.Reader) (binary.Fact, error)

// Examine is the usual Examiner: binary.Read, as far as a fact needs it.
func Examine(_ string, _ fs.FileMode, _ int64, r io.Reader) (binary.Fact, error) {
	return binary.Read(r, binary.Options{Whole: true})
}

// Extractor makes a text of the bytes of a file; r ends with the file or after 64 MiB. It reads as much as it wants.
type Extractor func(r io.Reader) string

// Options of ScanLayer and ScanAll.
type Options struct {
	// Examine says what the files are; nil: the function Examine.
	Examine Examiner
	// Examiner names what Examine knows, and its version; "" is a name too. Facts carry it, and those of Known are used
	// only if they carry the same.
	Examiner string
	// Extract returns what makes of a file's bytes the text to be kept of it (File.Text), or nil for a file of which
	// nothing is; nil: of all files. It is asked about files that begin as a text does, and are no scripts, and about
	// journals of SQLite. The text of a file that has nothing to say is "". Extractors are called by several goroutines at
	// once, and are part of what Examiner names.
	Extract func(path string) Extractor
	// Limits bound what is read; zero members have defaults.
	Limits Limits
	// Parallel is how many layers ScanAll unpacks at once; 0: one for each processor, at least 2 and at most 4. More are
	// fetched at once, as long as they are small.
	Parallel int
	// Known has the facts of layers that were read before; nil: none. It is called by several goroutines at once.
	Known func(digest v1.Hash) (LayerFacts, bool)
	// Compare holds layers that are read to their end against their tables of contents, if they have any.
	Compare bool
	// Enough is asked now and then, while a layer of more than 1 MiB is read, whether what was seen of it will do; nil:
	// all layers are read to their end. The facts of a layer that was left say so (LayerFacts.Part): neither its digest
	// nor its diffID was compared, so that a registry could serve other bytes later. It is called by several goroutines at
	// once.
	Enough func(layer v1.Descriptor, seen func() (LayerFacts, error)) bool
	// Seen receives each layer that ScanAll has read and found to be what it should be, known ones included, before all
	// are; nil: not called. It is called by several goroutines at once.
	Seen func(layer Scanned)
}

// Limits bound what a layer may cost. What goes over one is a *LimitError, never a guess.
type Limits struct {
	Headers  int64 // tar headers in a layer; 0: 1,000,000
	Unpacked int64 // uncompressed bytes of a layer; 0: 64 GiB
	// Ratio is how many uncompressed bytes there may be for a compressed one, in a layer and in all layers of a call
	// together, once they are more than Free; 0: 200. Both gzip, which ends at 1,032, and zstd go far beyond with zeros
	// alone.
	Ratio int64
	Free  int64 // uncompressed bytes for which the ratio does not count; 0: 4 GiB
	Path  int   // bytes of a path or of a link's target; 0: 4,096, as in Linux
	Depth int   // directories in a path; 0: 256
	// Time is how long reading one layer may take; 0: an hour.
	Time time.Duration
	// Memory is what the names and facts of all layers of a call may take together, in bytes, roughly; 0: 40 MiB, enough
	// for 400,000 files in layers that are read at once.
	Memory int64
}

const (
	// maxWindow is the most that one zstd stream may ask for as its window, in bytes. Few ask for more than usualWindow,
	// which is that of the strongest of zstd's ordinary levels: they are read one after the other.
	maxWindow   = 32 << 20
	usualWindow = 8 << 20
	// mostParallel keeps the buffers of layers read at once within some tens of MiB.
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
