// Package binary reads from a file's first bytes the machine and system that the file was built for: ELF, PE and
// Mach-O, and files that name no machine but can still be executed (scripts, Java archives and classes, WebAssembly).
//
// Most callers need two calls: Read turns an io.Reader into a Fact, and Runs compares a Fact with a platform.
//
// A file is read forward, once, through a window of 64 KiB, so that members of a tar stream can be read directly.
// Without Options.Whole, only the first 64 KiB are read. With it, Read goes on as far as it must to find later facts
// (an ARM baseline, the build information of a Go program, an interpreter that patchelf moved), and no further.
// Memory does not depend on the file.
//
// A Fact is what the file says about itself. The package does not decide what a wrong file means for an image, does
// not follow interpreters, does not disassemble, and does not open archives: it does not see the objects in an ar
// archive or the libraries in a wheel or a jar.
//
// Stable from v1 on: Read, Runs and Fact; members, kinds and ABIs may be added.
package binary
