package build

import "io"

// Extras is what a Dockerfile and BuildKit can be told beyond what to build. The zero value says nothing.
type Extras struct {
	Strict  bool // warnings about the Dockerfile are errors
	Discard bool // tell what was built, and store nothing

	// Contexts are named build contexts, which take the place of images and stages of these names: a directory,
	// docker-image://NAME, oci-layout://DIR[:TAG], store:NAME, or the address of a Git repository or of a file.
	Contexts map[string]string
	Secrets  []Secret // for RUN --mount=type=secret
	SSH      []SSH    // for RUN --mount=type=ssh

	AddHosts     []string // HOST=IP, for RUN steps
	Network      string   // of RUN steps: "" and default: the worker's; none; host
	Ulimits      []string // NAME=SOFT[:HARD]
	ShmSize      int64    // of /dev/shm, bytes; 0: 64 MiB
	CgroupParent string   // where the worker has cgroups

	Pull          bool     // ask the registry for every base image, even where the store has one of that name
	SkipDevices   bool     // leave block and character devices of contexts, and of exported files, out
	NoCacheStages []string // stages whose steps are run again
	CacheFrom     []string // type=registry,ref=…; type=local,src=…; or a reference
	CacheTo       []string // type=registry,ref=…; type=local,dest=…; type=inline; or a reference

	Annotations map[string]string // of the image's manifest
	Syntax      string            // the frontend: "" and auto: what "# syntax=" says; builtin; or an image
	Provenance  string            // "" and false: none; true, mode=min, mode=max …
	SBOM        string            // "": none; generator=IMAGE …
	Exports     []Export          // files of the image, beside the image itself
}

// Secret is a value that steps may read and that no layer keeps.
type Secret struct{ ID, File, Env string } // one of File and Env

// SSH is an agent's socket, or private keys.
type SSH struct {
	ID    string // default: "default"
	Paths []string
}

// Export writes the files of an image into a directory or an archive. Of several platforms each gets a directory of its own
// (linux_arm64).
type Export struct {
	Dir     string    // a directory, or
	Archive io.Writer // an archive of one platform
	Type    string    // of the archive: tar, or the whole image as oci or docker (what docker save writes)
	Name    string    // of the image in the archive
}
