// Package workload finds the image references in Kubernetes YAML and Compose files, and the platforms that each must
// serve.
//
// Most callers need three calls: ReadFiles, which returns every image that files and folders name with the line it
// stands in; Images, which joins the uses of each image with the platforms that they need in a deployment that Universe
// describes; and Image.Check, which makes findings of what is there. Read takes the bytes of one file, and ReadNodes
// those that `kubectl get nodes -o json` prints.
//
// Pod templates are found by their shape, so that custom resources need not be known. The package renders no templates,
// fetches nothing, asks no cluster and no registry, and does not check that a file is what Kubernetes or Compose would
// accept.
//
// Compose files are read by compose-go, the library of docker compose: it includes, extends, merges and fills in. By
// itself it opens files at paths that the file chooses, some of them without asking its ResourceLoader. So it never
// gets a file as it is. Options.Read opens each, and compose-go gets a copy of what matters in it, in a temporary
// folder if it has to open it: without aliases, so that its size is known; with include's env_file and
// project_directory taken out, which are handled when the file they belong to is opened; and with a mark behind each
// name of a file, without which the door opens nothing. Marks also keep the line of each image, and let a variable that
// is not set be an error, but only where an image needs it.
package workload
