package cli

import (
	"io"

	"mtool/cmd/internal/print"
	"mtool/compose/spec"
)

const specHelp = `mtool create --spec FILE reads what a list is made of from YAML: the files of manifest-tool as they are, and more.

  # the list; the command line may name another
  image: registry.example.com/demo:v1
  # with --push: more tags in its repository, and names in any registry
  tags: ["1", latest]
  targets: [r2.example.com/demo:v1]
  # auto, oci, docker
  type: auto
  # fail unless the list serves these
  require: [linux/amd64, linux/arm64]
  # annotations of the list
  annotations:
    org.opencontainers.image.title: demo
  manifests:
    - image: registry.example.com/demo:v1-amd64
    - image: registry.example.com/demo:v1-arm64
      # compared with the image's config; of a list it chooses the image
      platform:
        os: linux
        architecture: arm64
        variant: v8
      # annotations of the entry
      annotations:
        com.example.tier: gold
    - image: oci-archive:windows.tar
      platform:
        os: windows
        architecture: amd64
        os.version: 10.0.20348.2113
        os.features: [win32k]

os.version and os.features may also be written osversion and osfeatures. What the file does not state comes from the image. An
unknown key is an error with its line (exit code 2), and so is a file without manifests. The JSON schema, for editors: mtool help
spec-schema.
`

func writeSpecHelp(w io.Writer) { print.Text(w, specHelp) }

func writeSpecSchema(w io.Writer) { print.Text(w, string(spec.Schema)) }
