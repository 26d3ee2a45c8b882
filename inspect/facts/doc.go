// Package facts keeps what was seen in layers, so that a layer need not be read again: one file for a layer, named by its
// digest, in a folder that may be deleted at any time.
//
// The two calls are Store.Get and Store.Put. Only observations are kept, never verdicts, and only those of layers that were
// read to their end and verified, which are all that package rootfs makes. A file that is broken in a single bit (it
// carries its checksum), or of another version, is as good as none. Who can write to the folder can make mtool see what they like: gates should do without it.
package facts
