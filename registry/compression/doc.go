// Package compression tells how a stream is compressed, from its first bytes, and unpacks it.
//
// Name tells, and Open unpacks. What a layer may be compressed with is less than this, since runtimes unpack gzip and zstd
// alone: package rootfs decides that.
//
// It knows nothing of images: it is a leaf, which every package may import.
package compression
