// Package archive reads and writes images that are files: OCI layouts, OCI archives (a layout in a tar, as BuildKit's
// type=oci writes them) and Docker archives (what `docker save` writes).
//
// Most callers need two calls: Open, which reads any of them and tells an OCI from a Docker archive by itself, and Create,
// whose Writer is a registry.Target for layouts and OCI archives.
//
// Nothing is unpacked: a tar is indexed once and its files are read where they lie. A tar's names are only ever looked up
// and never become paths. An archive that is compressed as a whole goes into a temporary file first, since the parts of a
// compressed one can't be read where they lie. Docker archives are not written.
package archive
