package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

// compareHelp is a table that a test takes apart: each row has its evidence there.
const compareHelp = `What each tool does with lists: + yes, o in part, - no, blank: does not apply.
The columns, with the versions that were compared: M mtool, d docker manifest
28.2, b buildx imagetools 0.37, t manifest-tool 2.2, c crane 0.22, r regctl
0.11, s skopeo 1.9, h buildah 1.28 (both of Debian 12), a oras 1.3.

                                                      M  d  b  t  c  r  s  h  a
sources that are lists, at any depth                  +  -  o  o  o  o  -  o  -
OCI layouts and archives as sources                   +  -  o  -  o  o  +  +  o
images of Docker Engine as sources                    +  -  -  -  -  -  +  +  -
a bare digest, or a descriptor, as a source           +  -  +  -  -  o     -  +
attestations follow their image when filtered         +  -  +  -  -  -  -  -  -
attestations made referrers                           +  -  -  -  -  +  -  -  -
an entry is replaced by its platform                  +  -  -  -  -  -     -  -
two entries of one platform are refused               +  -  -  +  -  -     -  -
os.version is kept                                    +  +  -  o  +  +  +  +  +
a platform that contradicts the config is refused     +  -  -  -  -  -     -  -
remove by platform, digest or source                  +  -  -  -  o  o     o  o
attestations go when their image is removed           +  -  -  -  -  -     -  -
annotations of the list, set                          +  -  +  +  -  +     +  +
annotations and parts of a platform, unset            +  -  -  -  -  o     -  -
nothing of a published list is lost when it changes   +  -  -  -  o  o     -  o
media type chosen, images converted                   +  -  -  o  o  +  +  +  -
copies across registries                              +  -  +  -  +  +  +  +  o
several targets in one call, each on its own          +  -  o  o  -  -  -  -  o
a source that has moved stops the push                +  -  -  -  -  -     o  -
a tag that somebody else moved stops the push         +  -  -  -  -  -  -  -  -
the final digest, the bytes and the plan, dry         +  -  o  -  -  -  -  -  o
a failed create leaves nothing behind                 +  -  +  +  +  +     -  +
signatures and other referrers carried                +  -  o  -  -  +  o  -  +
a YAML file says what the list is, strictly           +  -  -  o  -  -  -  -  -
SemVer tags moved forward                             +  -  -  -  -  -  -  -  -
drafts are listed, and a broken one can be removed    +  -              -  o  -
entries checked against the images' configs           +  -  -  -  o  -  -  -  -
entries checked against the binaries in the layers    +  -  -  -  -  -  -  -  -
the entry that a node gets, by each runtime's rules   +  -  -  -  -  -  -  -  -
two lists compared, with an exit code                 +  -  -  -  -  o  -  -  -
exit codes that tell what went wrong                  +  -  -  -  -  -  o  o  -
the local store served as a registry                  +  -  -  -  +  -  -  -  -

Where others are better:
all tags of a repository copied by one command        -  -  -  -  +  o  +  -  -
tested on macOS and Windows                           o  +  +  +  +  +  o  -  +
`

func writeCompare(w io.Writer) { print.Text(w, compareHelp) }
