// Package registry has the names and the bytes: Ref, the typed and normalised name of an image or list; Manifest, exact
// bytes with their digest; Source, which reads content wherever it lies; and Client, which speaks the OCI distribution
// specification to registries.
//
// Most callers need two calls: ParseRef, and source.Opener.Open of the package below, which answers any Ref with an
// Object whatever its transport is.
//
// The package never judges what it reads beyond its digest and its size: see package inspect for that.
package registry
