// Package binary reads from a file's first bytes what machine and system the file was made for: ELF, PE and Mach-O, and
// the files that name no machine but are executed all the same (scripts, Java archives and classes, WebAssembly).
//
// Most callers need two calls: Read, an io.Reader in and a Fact out, and Runs, which holds a Fact against a platform.
//
// A file is read forward, once, through a window of 64 KiB, so that a member of a tar stream can be handed over as it
// passes. Without Options.Whole nothing behind the first 64 KiB is read; with it, Read goes on as far as a fact needs
// that lies behind (an ARM baseline, the build information of a Go program, an interpreter that patchelf moved), and no
// further. Memory does not depend on the file.
//
// A Fact is what the file says about itself. The package does not decide what a wrong file means for an image, does not
// follow interpreters, does not disassemble, and does not open archives: the objects in an ar archive and the libraries
// in a wheel or a jar stay unseen.
//
// Stable from v1 on: Read, Runs and Fact; members, kinds and ABIs may be added.
package binary
