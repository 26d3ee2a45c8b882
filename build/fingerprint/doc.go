// Package fingerprint tells by one digest whether an image would be built from the same things again.
//
// Inputs are what a build of one platform reads. Digest is the SHA-256 of their JSON, whose members are in the order of
// the struct, and those of maps in the order of their names. Files digests a build context. Times do not count: they
// decide nothing about what a step reads.
package fingerprint
