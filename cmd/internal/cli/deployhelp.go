package cli

import (
	"io"

	"mtool/cmd/internal/print"
)

const deployHelp = `mtool inspect -f FILE checks every image that a deployment names, on the platforms that each place needs, before anything is
deployed. It reads from registries, and needs no cluster.

  mtool inspect -f k8s/ --require linux/amd64,linux/arm64
  helm template shop ./chart | mtool inspect -f - --cluster nodes.json
  docker compose config | mtool inspect -f -
  kubectl get pods -A -o json | mtool inspect -f -
  mtool inspect -f compose.yaml -f compose.prod.yaml

What is read

Files, and the .yaml, .yml and .json files of folders at any depth. A file that is neither a Kubernetes object nor a
Compose file is reported; with --quiet only their number is.

Kubernetes objects, as YAML or JSON: pods and pod templates wherever they stand, in lists and in unknown custom
resources too, with their init and ephemeral containers and image volumes. Also the fields that name images in Argo
Workflows, Events and CD, Tekton, KubeVirt, Spark, the Prometheus operator, OLM, CloudNativePG, Crossplane, Flux and k3s
(the values given to charts), Kustomize, Strimzi and others, and RELATED_IMAGE_* variables. --image-field KIND=PATH adds
a field: App=spec.image, App.example.com=spec.jobs.image. Items of lists add nothing to the path; * is any name, ** any
number of names.

What names an image but can't be checked is a finding, unchecked, and fails: another member called image, a name that is
filled in later ($(params.image), {{inputs.parameters.image}}), a chart's image without repository or tag, an argument
or variable that names an image, a container without an image. --allow-unchecked PATTERN accepts it. The pattern is
compared with the image as it is written or, where none is written, with the place: 'Deployment web, *'. * is any text.

Compose files: for each service and job, in all profiles, the image, platform, image volumes, hooks, and the images that
its build contexts name. extends and include are followed, and several -f of Compose files are merged as docker compose
merges them, !reset and !override too. All files must lie below the working directory or next to the first file.

Variables come from .env next to the file (or env_file), from --env-file FILE, and from the environment only where --env
NAME allows it: mtool asks the host in an image's name, so image: HOST/${TOKEN} would send the token there. A variable
that is not set or not allowed, and has no default, is an error. A service that is only built is reported. A template
that is not rendered, and files that Compose would fetch, are exit code 2. Each image is read once.

What each place needs

--require names the platforms of the whole deployment; --cluster FILE takes them from the nodes of a cluster, as kubectl
get nodes -o json prints them. Of these a pod needs the ones where it can be scheduled, by its nodeSelector, required
node affinity, spec.os.name and nodeName; with --cluster also by all labels and taints of the nodes. Without both flags,
or where no platform is left, a pod needs the platforms that it names by kubernetes.io/arch and kubernetes.io/os.

A Compose service needs its platform:, one of a Swarm what its constraints on node.platform.arch and node.platform.os
leave. Where nothing else names a platform, the platforms for which the service builds its image count. Where no place
names any, no platform is demanded, but all entries must be true.

What is checked

The claims of all entries; and of the entries that are needed, the programs that the containers start. Layers are read
from the top, as far down as needed, each to its end, so that its digest is compared and the result can be kept: the
next check of the image reads no layer. A container's command, args, workingDir and PATH take precedence over the
image's, as Kubernetes and Compose define it; health checks, probes and hooks count as started.

mtool follows links, PATH, #! lines, loaders, launchers (tini, gosu, timeout, env, sudo and the like), shell command
lines, and scripts that set a few things and start one program. What it can't follow (other scripts, interpreters,
supervisors, commands in volumes), and an image that is mounted as a volume, is read whole: its state is binaries-ok,
and partial where everything could be followed. --entrypoint-only reads only what it can follow and names the place
where it stopped. It stops early in large layers and uses tables of contents: fast, but no digest is compared and
nothing is kept. --deep reads everything.

Exemptions in an image's labels are ignored. A digest of one platform's image is reported together with the list that it
belongs to. Findings have FILE:LINE; -o github and -o sarif put them on that line, -o junit and -o html are reports.

nodes.json is small and needs no rights in CI: kubectl get nodes -o json >nodes.json, and commit it.

To ask before every admission: mtool help admission.
`

func writeDeployHelp(w io.Writer) { print.Text(w, deployHelp) }
