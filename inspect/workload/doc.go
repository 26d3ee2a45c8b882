// Package workload finds the image references in Kubernetes YAML and Compose files, and the platforms that each must serve.
//
// Most callers need two calls: Read, which takes the bytes of a file and returns every image with the line it stands in;
// and Use.Required, which says what platforms one of them needs in a deployment that Universe describes. ReadNodes reads
// what `kubectl get nodes -o json` prints.
//
// Pod templates are found by their shape, so that custom resources need not be known. What Compose files include and extend is
// followed through Options.Read. The package renders no templates, fetches nothing, asks no cluster and no registry, and does not
// check that a file is what Kubernetes or Compose would accept.
package workload
