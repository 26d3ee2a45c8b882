// Package registry defines references and content as values. Ref is the normalised name of an image or list, Manifest
// is exact bytes with their digest, a Source reads content wherever it is, and a Target writes it. Every error of the
// packages below wraps one of the kinds that are defined here.
//
// Most callers need two calls: ParseRef, and source.Opener.Open of the package below, which opens a Ref of any
// transport and returns an Object. Package remote is the client for registries, login finds credentials, and store,
// archive and engine read what is on this machine.
//
// The package opens no connection and judges no content. It checks digests, sizes, and that JSON can be read in one way
// only.
//
// Stable from v1 on: Ref and how names are parsed, Manifest, Object, Source, Target, and the kinds of error. Until then
// minor versions may change names, and CHANGELOG.md says so. The words of errors are never part of it.
package registry
