package binary_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/iotest"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// mostZeros is the largest number of inserted zeros, more than two windows.
const mostZeros = 256 << 10

// FuzzRead checks for any bytes: no panic; no error except ErrMalformed; the same fact for any split into reads; facts
// from the beginning stay when the whole file is read; each verdict except Right has a reason. Zeros are inserted at an
// offset, so that short inputs make files of several windows.
func FuzzRead(f *testing.F) {
	for _, file := range samples() {
		at, n := longestZeros(file)
		f.Add(slices.Delete(slices.Clone(file), at, at+n), uint32(at), uint32(n))
	}
	f.Add([]byte("\x7fELF"), uint32(0), uint32(0))
	f.Add([]byte("MZ"), uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, file []byte, at, zeros uint32) {
		from := min(int(at), len(file))
		checkAny(t, slices.Insert(slices.Clone(file), from, make([]byte, zeros%mostZeros)...))
	})
}

func longestZeros(file []byte) (at, n int) {
	for i := 0; i < len(file); i++ {
		run := len(file[i:]) - len(bytes.TrimLeft(file[i:], "\x00"))
		if run > n {
			at, n = i, run
		}
		i += run
	}
	return at, n
}

func checkAny(t *testing.T, file []byte) {
	t.Helper()
	whole, err := binary.Read(bytes.NewReader(file), binary.Options{Whole: true})
	if err != nil && !errors.Is(err, binary.ErrMalformed) {
		t.Fatalf("error %v", err)
	}
	if err != nil && whole.Kind == binary.Other {
		t.Errorf("kind Other, but error %v", err)
	}
	halves, again := binary.Read(iotest.HalfReader(bytes.NewReader(file)), binary.Options{Whole: true})
	if !reflect.DeepEqual(whole, halves) || (err == nil) != (again == nil) {
		t.Errorf("%#v, %v\nin halves %#v, %v", whole, err, halves, again)
	}
	begin, _ := binary.Read(bytes.NewReader(file), binary.Options{})
	// a fact may be incomplete after a segment table of several windows
	lost := begin.Interp != whole.Interp && begin.Interp != "" && !whole.Incomplete
	if begin.Kind.ELF() && (begin.Kind != whole.Kind || begin.Machine != whole.Machine || lost) {
		t.Errorf("%#v\nfrom the beginning %#v", whole, begin)
	}
	if whole.Kind.ELF() && err == nil && (whole.Bits == 0 || whole.Order == "") {
		t.Errorf("an ELF file without class or order: %#v", whole)
	}
	for _, p := range []v1.Platform{
		plat("linux/amd64"), plat("linux/arm/v6"), plat("linux/arm64"),
		plat("windows/amd64"),
		{},
	} {
		if verdict, reason := binary.Runs(whole, p); (reason == "") != (verdict == binary.Right) {
			t.Errorf("%#v in %v: %s %q", whole, p, verdict, reason)
		}
	}
}
