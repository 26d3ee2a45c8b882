// Package workload finds the image references in Kubernetes YAML and Compose files, and the platforms that each image
// must serve.
//
// Most callers need three calls: ReadFiles returns every image that files and folders name, with its line; Images
// combines the uses of each image with the platforms that they need in a deployment, described by Universe; and
// Image.Check returns the findings. Read reads the bytes of one file, and ReadNodes the output of `kubectl get nodes
// -o json`.
//
// Pod templates are recognised by their shape, so custom resources need not be known. The package renders no
// templates, fetches nothing, contacts no cluster or registry, and does not check whether Kubernetes or Compose would
// accept a file.
//
// Compose files are merged and interpolated by the packages of compose-go, the library of docker compose. Its loader is
// not used: it opens files at paths that the file chooses, and links the JSON schema of Compose, which each start of
// the program would pay for. Options.Read opens each file, and compose-go gets only what matters in it, without
// aliases, so that its size is known. Marks in texts keep the line of each image, and make an unset variable an error
// only if an image needs it.
package workload
