// Package compression detects how a stream is compressed, by its first bytes, and decompresses it.
//
// Name detects, and Open decompresses. Layers may use fewer compressions, since runtimes know only gzip and zstd:
// package rootfs decides that.
//
// It knows nothing of images: it is a leaf, which every package may import.
package compression
