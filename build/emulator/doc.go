// Package emulator knows which architectures a machine executes natively, which ones QEMU's user mode emulation executes
// for it, and where the QEMU binaries are.
//
// Two calls are enough: Detect().Of(platform) answers how a platform's programs run here, and Find looks for the emulator
// when the answer is one. Found.Line is what binfmt_misc wants to be told.
//
// Survey tells it of every architecture at once, and which version of QEMU there is. Register and Unregister change the
// host's binfmt_misc, for those who ask for that: builds register their emulators privately, see package worker.
package emulator
