// Package workload finds the image references in Kubernetes YAML and Compose files, and the platforms that each must serve.
//
// Most callers need two calls: Read, which takes the bytes of a file and returns every image with the line it stands in;
// and Use.Required, which says what platforms one of them needs in a deployment that Universe describes. ReadNodes reads
// what `kubectl get nodes -o json` prints.
//
// Pod templates are found by their shape, so that custom resources need not be known. What Compose files include and extend is
// followed through Options.Read. The package renders no templates, fetches nothing, asks no cluster and no registry, and does not
// check that a file is what Kubernetes or Compose would accept.
//
// Compose files are not loaded by compose-go, the library of docker compose; it is what the tests compare with. Its include reads
// env_file and the project directory's .env, and its loader each file that is included or extended, by os.ReadFile at paths that
// the file chooses (/proc/self/environ, a pipe, a file of any size). A ResourceLoader can't stop that: it is not asked for env_file
// and .env, and not told the project directory. Its template package gives the empty text for a variable of a default that is not
// set, which is another image's name, and its time grows with the square of a text's length.
package workload
