// Package registry defines references and reads and writes registry content: Ref is the normalised name of an image or
// list, Manifest is exact bytes with their digest, Source reads content wherever it is, and Client speaks the OCI
// distribution specification to registries.
//
// Most callers need two calls: ParseRef, and source.Opener.Open of the package below, which opens a Ref of any transport
// and returns an Object.
//
// The package checks the digest and the size of what it reads and nothing else: package inspect judges content.
package registry
