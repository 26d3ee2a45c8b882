package binary_test

import (
	"bytes"
	"os"
	"testing"

	"mtool/inspect/binary"
)

// BenchmarkRead reads one file of each kind from memory, only its beginning and the whole file.
func BenchmarkRead(b *testing.B) {
	for name, file := range samples() {
		for mode, whole := range map[string]bool{"head": false, "whole": true} {
			b.Run(name+"/"+mode, func(b *testing.B) {
				b.ReportAllocs()
				r := bytes.NewReader(file)
				for b.Loop() {
					r.Reset(file)
					if _, err := binary.Read(r, binary.Options{Whole: whole}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkReadGo reads this test binary, of some megabytes, including Go's build information.
func BenchmarkReadGo(b *testing.B) {
	file, err := os.ReadFile(os.Args[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(file)))
	r := bytes.NewReader(file)
	for b.Loop() {
		r.Reset(file)
		if f, err := binary.Read(r, binary.Options{Whole: true}); err != nil || f.Go == nil {
			b.Fatal(f, err)
		}
	}
}

func BenchmarkRuns(b *testing.B) {
	f := binary.Fact{Kind: binary.ELFExecutable, Arch: "arm64"}
	p := plat("linux/arm64")
	b.ReportAllocs()
	for b.Loop() {
		if verdict, _ := binary.Runs(f, p); verdict != binary.Right {
			b.Fatal(verdict)
		}
	}
}
