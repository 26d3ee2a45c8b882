package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

const deployHelp = `mtool inspect -f FILE checks every image that a deployment names, on the platforms that each place needs, before anything is
deployed. It asks the registries, and no cluster.

  mtool inspect -f k8s/ --require linux/amd64,linux/arm64
  helm template shop ./chart | mtool inspect -f - --cluster nodes.json
  docker compose config | mtool inspect -f -
  kubectl get pods -A -o json | mtool inspect -f -
  mtool inspect -f compose.yaml -f compose.prod.yaml

What is read

Files, and the .yaml, .yml and .json files of folders at any depth; one that is neither a Kubernetes object nor a Compose
file is said, and with --quiet counted. Kubernetes objects as YAML or JSON: pods and pod templates wherever they stand, in
lists and in custom resources that nobody knows, with their init and ephemeral containers and their image volumes; and what
names images otherwise in Argo Workflows, Events and CD, Tekton, KubeVirt, Spark, the Prometheus operator, OLM,
CloudNativePG, Crossplane, Flux and k3s (the values given to charts), Kustomize, Strimzi and others; RELATED_IMAGE_*
variables. --image-field KIND=PATH adds a field: App=spec.image, App.example.com=spec.jobs.image (items of lists add
nothing to the path; * is any name, ** any number of them).

What was seen and can't be checked is a finding, unchecked, and fails: other members called image, a name that is filled in
later ($(params.image), {{inputs.parameters.image}}), a chart's image without repository or tag, an argument or variable
that names an image, a container that names none. --allow-unchecked PATTERN accepts it by the image as it is written, * for
anything, or where none is named by what stands there: 'Deployment web, *'.

Compose files: image, platform, image volumes,
hooks and the images of build contexts of each service and job, whatever its profiles, with what it extends, and of the
files that are included; several -f of Compose files are laid over each other as docker compose does (!reset and !override
too). All files lie below the working directory or next to the file; variables come from .env next to the file (or env_file), from
--env-file FILE and, where --env NAME allows it, from the environment: an image's name goes to the host that the file
names, so that image: HOST/${TOKEN} would send the token there. One that is not set, or not allowed, and has no default is
an error; services that are built are said. What Compose would fetch from elsewhere, and a template that is not rendered, is
exit code 2. An image that is named several times is asked for once.

What each place needs

--require names the platforms of the whole deployment, and --cluster FILE takes them from the nodes of a cluster, which
kubectl get nodes -o json prints. From these a pod needs those that it could be scheduled on, by its nodeSelector, its
required node affinity, its spec.os.name and its nodeName; with --cluster all labels count, and taints against its
tolerations. Without both, or where they leave none, a pod needs the platforms that it names by kubernetes.io/arch and
kubernetes.io/os. A service of Compose needs its platform:, one of a Swarm what its constraints on node.platform.arch and
node.platform.os leave or name; where nothing else says what an image needs, the
platforms for which it is built count. Where no place says what it needs, nothing has to be there, but everything that is must be
true.

What is checked

Claims, and of the entries that are needed also the binaries that the containers start: layers from the top, as far down as
needed, and each of these to its end, so that it is what its digest says, and that what was seen is kept: the next check of
the image reads no layer. A container's own command, args, workingDir and PATH come before the image's, as Kubernetes and
Compose define it; health checks, probes and hooks are started too. Followed are links, PATH, #! lines, loaders, launchers
(tini, gosu, timeout, env, sudo and the like), lines for a shell, and scripts that only set a few things and start one
program. Where more is started than that tells (other scripts, interpreters, supervisors, commands in volumes), and for
images that are mounted as volumes, the whole image is read: its state is binaries-ok then, and partial where everything
was followed. --entrypoint-only reads no more than it can follow, says where that stopped, leaves large layers early, and
reads tables of contents: quick, but no digest is compared, and nothing is kept. --deep reads everything. Exemptions that
images ask for by label are ignored. A digest that is one platform's image instead of the list is said, with the
list. Findings say FILE:LINE; -o github and -o sarif put them on that line, -o junit and -o html are reports.

nodes.json is small and needs no rights in CI: kubectl get nodes -o json >nodes.json, and commit it.

To ask before every admission: mtool help admission.
`

func writeDeployHelp(w io.Writer) { print.Text(w, deployHelp) }
