package binary_test

import (
	"bytes"
	"debug/elf"
	enc "encoding/binary"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"

	"mtool/inspect/binary"
)

// counted counts the bytes that are read from a reader.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// samples returns one file of each kind. Facts are at each kind of position.
func samples() map[string][]byte {
	le := enc.LittleEndian
	attributes := section{kind: shtARM, body: armAttributes(le, 10, 1)}
	return map[string][]byte{
		"amd64": elfSpec{machine: elf.EM_X86_64, kind: elf.ET_DYN, gap: 5000, segments: []segment{
			interp("/lib64/ld.so"), text(), note("GNU", 3, []byte{1, 2}, 4), property(0xc0008002, 3),
			data(buildInfo("go1.26.8", "GOARCH=amd64", "GOAMD64=v3")),
		}}.bytes(),
		"arm": arm([]segment{interp("/lib/ld.so"), data(make([]byte, 200<<10))}, attributes,
			section{body: make([]byte, 70<<10)}).bytes(),
		"mips": elfSpec{
			class: elf.ELFCLASS32, data: elf.ELFDATA2MSB, machine: elf.EM_MIPS, flags: 0x70001007,
			segments: []segment{text()},
		}.
			bytes(),
		"riscv": elfSpec{machine: elf.EM_RISCV, flags: 5, segments: []segment{text(), {
			kind: 0x70000003, body: vendorAttributes(le, "riscv", append([]byte{5}, "rv64gc\x00"...)),
		}}}.bytes(),
		"pe":     peSpec{machine: 0x8664, data: buildInfo("go1.26.8", "GOARCH=amd64", "GOAMD64=v3")}.bytes(),
		".net":   peSpec{machine: 0x14c, narrow: true, managed: managed(1, false)}.bytes(),
		"macho":  machHeader(le, 0xfeedfacf, 0x0100000c, 2),
		"fat":    append([]byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1, 1, 0, 0, 7}, make([]byte, 16)...),
		"class":  {0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 65},
		"script": []byte("#!/usr/bin/env -S python3 -u\nprint()\n"),
		"zip":    append([]byte("PK\x03\x04"), make([]byte, 40)...),
		"wasm":   []byte("\x00asm\x01\x00\x00\x00"),
		"text":   []byte("hello"),
		"empty":  nil,
	}
}

// The fact does not depend on how a reader splits the bytes.
func TestReaders(t *testing.T) {
	t.Parallel()
	for name, file := range samples() {
		want := read(t, file)
		for kind, wrap := range map[string]func(io.Reader) io.Reader{
			"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "error with data": iotest.DataErrReader,
			"stuttering": stutter,
		} {
			got, err := binary.Read(wrap(bytes.NewReader(file)), binary.Options{Whole: true})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %#v, %v, want %#v", name, kind, got, err, want)
			}
		}
	}
}

// stutter returns no bytes every other time.
func stutter(r io.Reader) io.Reader {
	silent := false
	return readerFunc(func(p []byte) (int, error) {
		if silent = !silent; silent {
			return 0, nil
		}
		return r.Read(p)
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// An error of the reader is returned unchanged, wherever it occurs: a truncated layer is not a malformed file.
func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is gone")
	for name, file := range samples() {
		for _, n := range []int{0, 1, 3, len(file) / 2} {
			if n >= len(file) {
				continue
			}
			c := &counted{Reader: io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken))}
			_, err := binary.Read(c, binary.Options{Whole: true})
			if !errors.Is(err, broken) || errors.Is(err, binary.ErrMalformed) {
				t.Errorf("%s, after %d bytes: %v", name, n, err)
			}
		}
	}
	_, err := binary.Read(readerFunc(func([]byte) (int, error) { return 0, nil }), binary.Options{})
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that returns no bytes: %v", err)
	}
}

// Without Whole at most 64 KiB are read, mostly one page; with it, no more than needed.
func TestHowMuchIsRead(t *testing.T) {
	t.Parallel()
	tail := make([]byte, 1<<20)
	for name, file := range samples() {
		for whole, most := range map[bool]int64{false: 64 << 10, true: int64(len(file)) + 64<<10} {
			c := &counted{Reader: bytes.NewReader(append(slices.Clip(file), tail...))}
			if _, err := binary.Read(c, binary.Options{Whole: whole}); err != nil || c.n > most {
				t.Errorf("%s, whole %t: %d bytes, %v", name, whole, c.n, err)
			}
			if name != "arm" && name != "amd64" && c.n > 4<<10 {
				t.Errorf("%s, whole %t: %d bytes, more than a page", name, whole, c.n)
			}
		}
	}
}

// A section table in the first page, where Go writes it, shows that there are no ARM attributes to search for.
func TestNoAttributesInTable(t *testing.T) {
	t.Parallel()
	spec := arm([]segment{text()}, section{}, section{body: make([]byte, 1<<20)})
	spec.first = true
	c := &counted{Reader: bytes.NewReader(spec.bytes())}
	if f, err := binary.Read(c, binary.Options{Whole: true}); err != nil || f.Incomplete || c.n > 4<<10 {
		t.Errorf("%d bytes, %#v, %v", c.n, f, err)
	}
	spec.segments = append(spec.segments,
		data(append(make([]byte, 200<<10), buildInfo("go1.26.8", "GOARCH=arm", "GOARM=6")...)))
	if f := read(t, spec.bytes()); f.Incomplete || f.Baseline != "v6" {
		t.Errorf("with Go's build info: %#v", f)
	}
}

// Reading a file of 1 GiB with facts at its end takes no more memory than reading a small one.
func TestMemoryDoesNotGrow(t *testing.T) { //nolint:paralleltest // it counts allocations
	if testing.Short() {
		t.Skip("reads 1 GiB")
	}
	const size = 1 << 30
	spec := arm([]segment{text()}, section{kind: shtARM, body: armAttributes(enc.LittleEndian, 10, 1)})
	head := spec.bytes()
	spec.far = int64(len(head)) + size
	spec.sections[0].off = spec.far - int64(len(spec.sections[0].body))
	file := spec.bytes()
	table := file[len(file)-40:]
	zeros := io.LimitReader(zeroReader{}, size-int64(len(spec.sections[0].body)))
	r := io.MultiReader(bytes.NewReader(file), zeros, bytes.NewReader(spec.sections[0].body), bytes.NewReader(table))

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := binary.Read(r, binary.Options{Whole: true})
	runtime.ReadMemStats(&after)
	if err != nil || f.Baseline != "v7" {
		t.Errorf("%#v, %v", f, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 {
		t.Errorf("%d bytes allocated", grown)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
