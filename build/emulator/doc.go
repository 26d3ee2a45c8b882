// Package emulator knows which architectures a machine executes natively, which ones QEMU's user mode emulation executes
// for it, and where the QEMU binaries are.
//
// Two calls are enough: Detect().Of(platform) answers how a platform's programs run here, and Find looks for the emulator
// when the answer is one. Found.Line is what binfmt_misc wants to be told.
//
// The package registers nothing and runs nothing: see package worker for that.
package emulator
