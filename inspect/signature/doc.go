// Package signature reads cosign's signatures of images, and verifies those that were made with a key.
//
// ParseKey reads a public key; Signature.Verify returns which of several keys made a simple signing signature of a
// digest, Bundle.Verify which made a sigstore bundle. Both work on bytes that were fetched before.
//
// The package does not verify certificates, transparency logs or timestamps: a signature without a key ("keyless") is
// reported as present and never as verified.
package signature
