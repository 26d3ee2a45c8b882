package cli

import (
	"fmt"
	"io"
	"strings"

	"mtool/cmd/internal/print"
	"mtool/inspect/binary"
)

const abiHelp = `What inspect --deep reads of a program, to find programs that are for the right machine and still do not run.

Machine     the number in the ELF header with its width and byte order; sw64 by its number (268) and by the one that its
            toolchains wrote before (0x9916). PE, Mach-O and .NET code have theirs.
Processor   the oldest that runs the code: what Go recorded of its build (GOARM, GOAMD64 …), Tag_CPU_arch of ARM, the
            x86-64 level of GNU properties (PT_NOTE and PT_GNU_PROPERTY), the profile that RISC-V's attributes amount
            to (rva20u64, rva22u64, rva23u64). v7 code in linux/arm/v6 is an error wherever it lies; elsewhere a newer processor is a note.
ABI         how arguments travel. arm: hard or soft float, by e_flags, else Tag_ABI_VFP_args. riscv64: lp64d, lp64f,
            lp64. mips: n64, n32 and o32, which are machines of their own here, release 6 against those before, nan2008.
            ppc64: elfv1, elfv2. loong64: lp64d, lp64f, lp64s. A program must be of its loader's ABI, a library of that of one of the
            loaders in the image or, where there is none, of what the image starts. -o json has it in platforms[].abi.
World       LoongArch has two systems: the old world of its vendor's first distributions, and the new one of Linux 5.19
            and glibc 2.36. Neither runs the other's programs. The loader shows it (/lib64/ld.so.1 is old,
            /lib64/ld-linux-loongarch-lp64d.so.1 is new), else bits 7:6 of e_flags; a static Go program without a mark
            runs in both. The table shows it behind the state, -o json in platforms[].world. Both worlds in what an image
            starts, or a program and its loader or libraries of different ones, are errors.
C library   by the loader's name: a finding about a missing loader names the C library.
Pages       with which pages of memory the segments can be loaded. Hosts of arm64 have 4, 16 or 64 KiB.

A deployment can demand what its hosts need, with inspect, create, push and copy:

  mtool inspect --deep --require linux/loong64 --abi loong64=new REF
  mtool inspect --deep --abi arm=hard --abi amd64=musl REF
  mtool inspect --deep --page-size 64k REF

--abi ARCH=ABI: every program of that architecture that states an ABI must state this one; where none does, the image is
unchecked (exit code 3). Only programs with a loader show glibc or musl. --page-size SIZE: a program or library
whose segments need smaller pages is an error. Exemptions are those of mtool help foreign-files.
`

// writeABIHelp explains ABIs and how to demand one.
func writeABIHelp(w io.Writer) {
	print.Text(w, abiHelp)
	print.Text(w, "\nThe names for --abi\n")
	for _, arch := range []string{"amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64"} {
		print.Println(w, fmt.Sprintf("  %-10s%s", arch, strings.Join(binary.ABIs(arch), ", ")))
	}
}
