package cli

import (
	_ "embed" // the example
	"io"
	"strings"

	"mtool/cmd/internal/print"
)

// The example is a whole program, so that the test can build it as it is printed.
var (
	//go:embed admission.go.txt
	admissionProgram string
	//go:embed admission.yaml
	admissionRules string
)

const admissionLead = `mtool inspect -f - takes the review that Kubernetes sends to a validating webhook, so that a webhook is a few lines around it.
The program below is one; it is an example, to be changed: save it as main.go, go build, and put it into an image with mtool.
It takes four words: the address, what kubectl get nodes -o json printed, certificate and key. An image without an answer in
time is not admitted. Facts about layers are kept in the cache folder, so that an image that was read once costs two rounds
of small requests; logins are those of docker and podman (DOCKER_CONFIG).

A gate in CI is cheaper and sees more, since it has all files at once: mtool help deploy.
`

func writeAdmissionHelp(w io.Writer) {
	for _, text := range []string{
		admissionLead, "\n=== main.go ===\n", admissionProgram, "\n=== webhook.yaml ===\n",
		strings.TrimRight(admissionRules, "\n"), "\n",
	} {
		print.Text(w, text)
	}
}
