// Package facts stores what was observed in layers, so that a layer is read once: one file for each layer, named by its
// digest, in a folder that may be deleted at any time.
//
// The two calls are Store.Get and Store.Put. Only observations are kept, never verdicts, and only those of layers that were
// read to their end and verified, which are all that package rootfs makes. A file
// that does not match its own checksum, or that has another version, is ignored. Anyone who can write to the folder can
// forge results, so gates should not use one that others can write to.
package facts
