package cli

import (
	"io"

	"mtool/cmd/internal/print"
	"mtool/compose/spec"
)

const specHelp = `mtool create --spec FILE reads what a list is made of from YAML: the files of manifest-tool as they are, and more.

  image: registry.example.com/demo:v1      # the list; the command line may name another
  tags: ["1", latest]                      # more tags in its repository       } written
  targets: [r2.example.com/demo:v1]        # more names, in any registry       } with --push
  type: auto                               # auto, oci, docker
  require: [linux/amd64, linux/arm64]      # fail unless the list serves these
  annotations:                             # of the list
    org.opencontainers.image.title: demo
  manifests:
    - image: registry.example.com/demo:v1-amd64
    - image: registry.example.com/demo:v1-arm64
      platform:                            # checked against the image's config; of a list it chooses the image
        os: linux
        architecture: arm64
        variant: v8
      annotations:                         # of the entry
        com.example.tier: gold
    - image: oci-archive:windows.tar
      platform: {os: windows, architecture: amd64, os.version: 10.0.20348.2113, os.features: [win32k]}

os.version and os.features may be written osversion and osfeatures. What is not stated comes from the image. A key that is
not known is an error with its line (exit code 2), and so is a file without manifests. The JSON schema of all this, for
editors: mtool help spec-schema.
`

func writeSpecHelp(w io.Writer) { print.Text(w, specHelp) }

func writeSpecSchema(w io.Writer) { print.Text(w, string(spec.Schema)) }
