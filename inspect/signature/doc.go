// Package signature finds signatures of images, and verifies those that cosign made with a key.
//
// Three calls do it: ParseKey reads a public key, Finder.Find looks for the signatures of a list, of its images and of
// their attestations, and Judge makes findings of what is not signed. Signature.Verify and Bundle.Verify work on bytes
// that were fetched before.
//
// The package does not verify certificates, transparency logs or timestamps: a signature without a key ("keyless") is
// reported as present and never as verified.
package signature
