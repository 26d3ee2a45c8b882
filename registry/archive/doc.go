// Package archive reads and writes images that are files: OCI layouts, OCI archives (a layout in a tar, as BuildKit's
// type=oci writes them), Docker archives (what `docker save` writes) and the directories that skopeo and podman write as
// dir:.
//
// Most callers need two calls: Open, which reads any of them and recognises OCI and Docker archives by their content,
// and Create, whose Writer is a registry.Target for layouts, OCI archives and dir:.
//
// Nothing is unpacked: a tar is indexed once and its files are read in place. A tar's names are only looked up and
// never become paths. An archive that is compressed as a whole is first decompressed into a temporary file, since parts
// of it can't be read in place. Docker archives are not written.
package archive
