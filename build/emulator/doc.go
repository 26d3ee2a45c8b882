// Package emulator finds out which architectures a machine executes natively, which ones QEMU's user mode emulation
// executes for it, and where the QEMU binaries are.
//
// Two calls are enough: Detect().Support(platform) returns how a platform's programs run here, and Find finds the
// emulator when they need one. Found.Line returns its line for binfmt_misc.
//
// Survey does this for every architecture at once, and finds the versions of QEMU. Register and Unregister change the
// host's binfmt_misc, and only on request: builds register their emulators privately, see package worker.
package emulator
