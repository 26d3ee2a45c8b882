package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

const jsonHelp = `mtool inspect -o json prints one document for each reference, one after the other, whether it is a list or a single image.
"schema" is "mtool.inspect/v1": members may be added to it, none is taken away, and none changes its meaning. The JSON
schema is mtool help json-schema.

  reference, repository, origin, digest, mediaType, list     what was looked at, and where it was found
  ok                   false when a finding fails (exit code 3)
  level                claims, binaries (--deep) or entrypoints (--entrypoint-only)
  platforms[]          platform, claim, config, state, digest, mediaType, size, created, base, annotations, nested, layers[],
                       attestations[], error; stopped.at and .why, where what the image starts is no longer followed
  others[]             entries that are no images
  required[], uses[]   the platforms that must be there, and the places in files that name the image (--files)
  findings[]           state, platform, digest, claim, evidence, message; rule (mtool help notes); for files in layers path,
                       layer, role; for files that name images file and line. The first are those of platforms[], one each,
                       in order.
  differences[]        with --same: rule, what, and values by platform

  states               claims-ok, binaries-ok, partial, mismatch, unknown, unchecked; findings may also be a note

The members of a --format template have the same names with a capital letter: {{.Digest}}, {{range
.Platforms}}{{.State}}. The template's text is printed as it is, and each value on one line; characters that could steer
a terminal or a CI system are escaped as in JSON (a newline is \n). {{json .Annotations}} loses nothing. --raw prints
the exact bytes, except on a terminal. One line an image, for scanners and signers:

  mtool inspect REF --format \
    '{{range .Platforms}}{{$.Repository}}@{{.Digest}}{{"\n"}}{{end}}' |
    xargs -n1 cosign sign
`

func writeJSONHelp(w io.Writer) { print.Text(w, jsonHelp) }

func writeInspectSchema(w io.Writer) { print.Text(w, string(print.InspectSchema)) }
