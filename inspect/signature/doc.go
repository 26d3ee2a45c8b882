// Package signature reads the signatures that cosign makes of images, and verifies those that were made with a key.
//
// ParseKey reads a public key; Signature.Verify reports whether one of several keys made a simple signing signature of
// a digest, Bundle.Verify the same of a sigstore bundle. Both work on bytes that were fetched before.
//
// It does not verify certificates, transparency logs or timestamps: a signature without a key ("keyless") is reported as
// present and never as verified.
package signature
