// Package repack packs the layers of images in another compression: gzip, zstd, zstd:chunked or eStargz.
//
// ParseFormat reads what users type, and Format.Pack packs one layer. The bytes depend on the content and the format
// alone, not on the machine. A layer unpacks to the same tar as before, so its diff ID stays; only eStargz puts its
// table of contents into the tar itself.
//
// It streams: memory does not grow with the size of a layer, but that of a table of contents with its files. It knows
// layers, not images: package publish finds them and package compose writes the manifests.
package repack
