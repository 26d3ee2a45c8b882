package binary_test

import (
	"bytes"
	"debug/elf"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

func Example() {
	// In practice this is a member of a layer's tar stream.
	file := bytes.NewReader(elfSpec{
		machine:  elf.EM_AARCH64,
		segments: []segment{interp("/lib/ld-linux-aarch64.so.1"), text()},
	}.bytes())

	fact, err := binary.Read(file, binary.Options{Whole: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fact.Arch, fact.Interp)

	verdict, reason := binary.Runs(fact, v1.Platform{OS: "linux", Architecture: "amd64"})
	fmt.Printf("%s: %s\n", verdict, reason)
	// Output:
	// arm64 /lib/ld-linux-aarch64.so.1
	// wrong: ELF executable for arm64, in linux/amd64
}
