// Package facts stores what was observed in layers, so that a layer is read once: one file for each layer, named by
// its digest, in a folder that may be deleted at any time.
//
// The two calls are Store.Get and Store.Put. The package stores observations only, never verdicts, and only those of
// layers that were read to their end and verified; package rootfs returns no others. It ignores a file with a wrong
// checksum or another version. Anyone who can write to the folder can forge results, so gates should not use a folder
// that others can write to.
package facts
