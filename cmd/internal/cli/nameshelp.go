package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

const namesHelp = `Names follow docker's rules: demo:v1 is docker.io/library/demo:v1, no tag means latest.

  NAME[:TAG|@DIGEST]         a name; see below where it is looked up
  docker://NAME              the registry only
  store:NAME                 the local store only
  draft:NAME                 a list that is not published yet
  oci:DIR[:TAG|@DIGEST]      an OCI layout folder; also oci-layout://DIR
  oci-archive:FILE[:TAG]     an OCI archive
  docker-archive:FILE[:TAG]  what docker save writes
  dir:DIR                    the files of one image or list, as skopeo and podman write them
  docker-daemon:NAME         an image of Docker Engine (DOCKER_HOST, DOCKER_CONTEXT, docker's context); also
                             docker-daemon:sha256:ID
  containers-storage:NAME    an image of podman or buildah, to read from; needs podman or skopeo in PATH

Archives may be compressed as a whole (gzip, zstd, xz, bzip2). A path that exists and ends as archives do (.tar,
.tar.gz, .tgz …) needs no prefix. load, push and copy take - for standard input.

Where a name is looked up

  a bare name                     (demo:v1, localhost/demo) drafts, the local store, the registry
  a name with a registry host     inspect, copy, exists: the registry only; sources of create and amend, FROM, and save: the
                                  store, then the registry
  a digest in docker.io/library   as a bare name: it is what commands print of a local image
  a one-word name, localhost/…    as a source never fetched from a registry: it was most likely not built yet

Local state

It is in MTOOL_HOME (default: mtool in the XDG data home): store/ is a plain OCI layout, drafts/ one file a list,
emulators/ your QEMU binaries, registries.yaml settings (mtool help registries).
`

func writeNames(w io.Writer) { print.Text(w, namesHelp) }
