package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// foreign is a row about flags of other tools that some commands do not have. The names are separated by spaces.
type foreign struct {
	commands string // paths below mtool, separated by commas; "": every command
	flags    string
	answer   string
}

// foreignFlags has the rows about a command before those about all of them. A test looks that no command has these
// flags, and that it has what the answer names.
func foreignFlags() []foreign {
	return slices.Concat(foreignBuildFlags(), foreignListFlags(), foreignEditFlags(), foreignImageFlags(),
		foreignShowFlags(), foreignGlobalFlags())
}

func foreignGlobalFlags() []foreign {
	return []foreign{
		{
			"", "insecure allow-insecure insecure-registry tls-verify dest-insecure src-insecure dest-tls-verify src-tls-verify",
			"--plain-http HOST for a registry without TLS, --tls-skip-verify HOST for one whose certificate can't be verified",
		},
		{
			"", "authfile dest-authfile src-authfile registry-config",
			"REGISTRY_AUTH_FILE or DOCKER_CONFIG names the file with the logins",
		},
		{"", "creds src-creds dest-creds src-username src-password dest-username dest-password registry-token " +
			"src-registry-token dest-registry-token", "log in first: mtool login HOST"},
		{
			"", "cert-dir src-cert-dir dest-cert-dir cacert tlscacert",
			"--ca-file FILE names authorities, --client-cert HOST=CERT:KEY a certificate of yours",
		},
		{"", "retry-times", "--retry COUNT"},
		{"", "retry-delay", "--retry-wait DURATION"},
		{"", "jobs j parallel", "--concurrency COUNT limits the requests in flight"},
		{"", "verbosity log-level logopt", "-v shows what is decided and why, -vv each request; --log-format json for programs"},
		{"", "config", "DOCKER_CONFIG names the folder of docker's settings"},
		{"", "context c", "DOCKER_CONTEXT names the context of Docker Engine"},
		{"", "daemon-host src-daemon-host dest-daemon-host H", "DOCKER_HOST is the address of Docker Engine"},
		{"", "no-color no-colour color colour", "NO_COLOR=1 leaves colours out, CLICOLOR_FORCE=1 keeps them in a pipe"},
		{
			"create,amend,annotate,remove,push,copy,inspect,diff,resolve,tags,ls,exists,delete,save,check-base,rebase",
			"username password u", "log in first: mtool login HOST",
		},
		{"", "disable-content-trust sign-by", "mtool signs nothing; mtool inspect --signed-by FILE checks signatures"},
		{"", "multi-arch index-only", "leave it out: a list is always taken whole"},
	}
}

func foreignBuildFlags() []foreign {
	return []foreign{
		{"build", "builder", "--worker ADDRESS names the worker that builds"},
		{"build", "attest", "--provenance mode=max and --sbom generator=IMAGE make attestations"},
		{
			"build", "memory m memory-swap cpus cpu-shares cpu-quota cpu-period cpuset-cpus cpuset-mems resource",
			"mtool does not limit the memory of steps; --ulimit limits their processes, --cgroup-parent names a group with limits",
		},
		{"build", "call print", "--check for call=check"},
		{"build", "jobs j", "leave it out: platforms are built at once"},
		{"build", "manifest", "-t NAME: several platforms become a list of that name"},
		{"build", "all-platforms", "--platform names them"},
		{"build", "squash squash-all", "copy what is wanted into a last stage: FROM scratch, COPY --from=STAGE / /"},
		{"build", "rm force-rm layers", "leave it out: steps leave no containers; --no-cache runs them all again"},
		{
			"build", "security-opt privileged cap-add cap-drop isolation",
			"--allow security.insecure, for RUN --security=insecure",
		},
		{"build", "env e unsetenv", "--build-arg KEY=VALUE for an ARG; ENV is for the Dockerfile"},
		{"build", "volume mount", "--build-context NAME=DIR, and RUN --mount=type=bind,from=NAME in the Dockerfile"},
		{"build", "os variant os-version os-feature", "--platform OS/ARCH[/VARIANT]"},
		{"build", "timestamp rewrite-timestamp", "--source-date-epoch SECONDS"},
		{"build", "ignorefile", "name it after the Dockerfile: Dockerfile.dockerignore is read before .dockerignore"},
		{"build", "from", "--build-context NAME=docker-image://REF stands in for the image NAME"},
		{"build", "dns dns-search dns-option no-hosts", "--add-host HOST:IP gives RUN steps a name"},
		{"build", "format", "-o type=oci,dest=FILE or type=docker,dest=FILE writes an archive"},
		{"build", "dockerfile containerfile", "-f FILE"},
		{"build", "destination d", "-t NAME, and --push"},
		{"build", "no-push", "leave it out: without --push nothing is pushed"},
		{"build", "tar-path tarPath tarball", "-o type=oci,dest=FILE"},
		{"build", "import-cache", "--cache-from CACHE"},
		{"build", "export-cache", "--cache-to CACHE"},
		{"build", "cache-repo", "--cache-to type=registry,ref=REPO, and --cache-from with the same"},
		{"build", "compress single-snapshot snapshot-mode snapshotMode use-new-run skip-unused-stages", "leave it out"},
		{"build", "reproducible", "--source-date-epoch SECONDS"},
		{"build", "http-proxy", "leave it out: RUN steps get HTTP_PROXY and its kin"},
		{"build", "pull-always", "--pull"},
		{"build", "pull-never", "leave it out: without --pull the local store's base images are taken first"},
		{"build", "architecture", "--arch ARCH"},
		{"build", "opt", "--build-arg KEY=VALUE, --target STAGE and --platform PLATFORM"},
		{"build", "local", "the context is an argument; --build-context NAME=DIR names another one"},
		{"build", "frontend", "--syntax IMAGE"},
		{"build", "image-refs", "--metadata-file FILE"},
		{"build", "logfile", "--progress plain, and 2>FILE"},
		{"build", "set", "--build-arg KEY=VALUE, --platform PLATFORM and others: mtool builds one target at a time"},
	}
}

func foreignListFlags() []foreign {
	return []foreign{
		{"create,amend", "manifest m ref image", "name the images after the list: mtool create LIST IMAGE…"},
		{"create", "append", "mtool amend --published LIST IMAGE… adds to a list in a registry"},
		{"amend", "append amend", "leave it out: amend adds to the list that is there"},
		{"create,amend", "file f", "a descriptor is an IMAGE too: name FILE.json after the list"},
		{"create", "platforms", "--platform PLATFORM"},
		{"create", "target name", "the list comes first: mtool create LIST IMAGE…"},
		{"create,amend", "all-platforms prefer-index index", "leave it out"},
		{"create,amend", "oci docker v2s2", "--type oci or --type docker"},
		{"create,amend", "annotate", "--annotation KEY=VALUE"},
		{"create,amend", "label l", "mtool set NAME --label KEY=VALUE changes the images; --annotation KEY=VALUE is for the list"},
		{"create", "tags", "--to NAME publishes it under this name too"},
		{"create", "yaml", "--spec FILE"},
		{"create", "output o", "mtool save NAME -o FILE writes an archive of it"},
		{"create,amend", "all a", "leave it out: a list is always taken whole"},
		{"create,amend", "flatten docker-empty-base builder", "leave it out: lists are always flattened"},
		{"create,amend", "media-type", "--type oci or --type docker"},
		{"create,amend", "desc-annotation", "--annotation manifest-descriptor:KEY=VALUE"},
		{"create", "by-digest", "--push-by-digest"},
		{
			"create,amend", "os arch variant os-version os-features features desc-platform",
			"mtool annotate LIST ENTRY --os OS --arch ARCH --variant VARIANT corrects an entry",
		},
		{"annotate", "os-features features", "--os-feature FEATURE"},
		{"annotate", "platform p", "name the entry after the list: mtool annotate LIST linux/arm64"},
		{"annotate", "manifest", "name the entry after the list: mtool annotate LIST linux/arm64"},
		{"annotate", "index", "leave it out: without an entry, the list itself is annotated"},
		{"annotate", "label l", "mtool set NAME --label KEY=VALUE"},
		{"remove", "platform p digest d", "name the entries after the list: mtool remove LIST linux/arm64"},
		{"rm", "ignore i", "leave it out: a missing name does not stop the others (exit code 4)"},
		{"delete", "ignore-missing ignore i", "leave it out: a missing name is exit code 4, and then nothing is deleted"},
		{"delete", "force-tag-dereference", "mtool delete HOST/NAME@DIGEST deletes a manifest with all of its tags"},
		{"remove,rm", "force f", "leave it out: there is no question"},
		{"rm", "all a", "name what is to be deleted: mtool rm NAME…"},
		{"rm", "no-prune", "leave it out: rm deletes names, and no more"},
		{"delete", "force f", "--yes does not ask"},
		{"push", "to t tag tags target destination d", "name the targets after the list: mtool push LIST TARGET…"},
		{"push", "rm p", "--purge deletes the draft once it is published"},
		{"push", "index all-platforms", "leave it out: a list is always taken whole"},
		{"push", "image-refs", "--digest-file FILE"},
		{"push", "artifact-type", "mtool create LIST IMAGE… --artifact-type TYPE"},
		{"push,copy", "encrypt-layer encryption-key", "leave it out: nothing is encrypted here, and encrypted layers are copied as they are"},
		{"push", "format f", "mtool create LIST IMAGE… --type docker makes a Docker list"},
		{"push,save", "platform", "mtool create NAME LIST --platform PLATFORM makes a list of a part"},
		{"push,copy,save", "all a", "leave it out: a list is always taken whole"},
		{"push,copy", "all-tags", "mtool tags NAME lists the tags, each to be copied"},
		{"push,copy", "digestfile", "--digest-file FILE"},
		{"push,copy", "remove-signatures", "leave it out: signatures come along with --referrers only"},
		{"push,copy,create", "n", "--no-clobber"},
		{"push,copy", "compression-format dest-compress-format dest-compress layer-compress", "--compression zstd"},
		{"push,copy", "compression-level dest-compress-level", "the level follows the format: --compression zstd:9"},
		{"copy", "dest-force-compress-format", "--force-compression"},
	}
}

func foreignEditFlags() []foreign {
	return []foreign{
		{"set", "l add-label", "--label KEY=VALUE"},
		{"set", "e env-file", "--env KEY=VALUE"},
		{"set", "w config-workdir", "--workdir DIR"},
		{"set", "u config-user", "--user USER"},
		{"set", "exposed-ports expose-add", "--port PORT"},
		{"set", "expose-rm", "--unset-port PORT"},
		{"set", "volume-add", "--volume DIR"},
		{"set", "volume-rm", "--unset-volume DIR"},
		{"set", "set-platform config-platform", "--platform PLATFORM"},
		{"set", "config-cmd", "--cmd COMMAND"},
		{"set", "config-entrypoint", "--entrypoint COMMAND"},
		{"set", "config-time time", "--created DATE"},
		{"set", "annotation a", "mtool annotate LIST --annotation KEY=VALUE"},
		{"set", "replace", "leave it out: without -t the result takes the original's place"},
		{"set", "create output o", "-t NAME names the result"},
		{"set", "rm-label", "--unset-label KEY"},
		{"set", "label-to-annotation", "mtool create LIST IMAGE… --promote-labels"},
		{"set", "append layer-add", "mtool build, with a Dockerfile of FROM and COPY: set leaves layers as they are"},
		{"set", "rebase rebase-ref", "mtool rebase NAME --old BASE --new BASE"},
		{"set", "to-oci", "mtool create NAME IMAGE --type oci --convert"},
		{"set", "to-docker", "mtool create NAME IMAGE --type docker --convert"},
		{"rebase", "old_base old-base original", "--old BASE"},
		{"rebase", "new_base new-base", "--new BASE"},
		{"rebase", "rebased", "-t NAME"},
	}
}

func foreignImageFlags() []foreign {
	return []foreign{
		{"copy", "additional-tag", "mtool push SRC TARGET… takes several targets"},
		{"copy", "format f", "mtool create NAME IMAGE --type docker --convert, then mtool push NAME"},
		{"copy", "recursive r", "--referrers"},
		{"copy", "from-oci-layout to-oci-layout", "oci:DIR:TAG names an image of a layout"},
		{"copy", "all-platforms allow-nondistributable-artifacts", "leave it out: a list is always taken whole"},
		{"copy", "preserve-digests", "leave it out: a copy has the same digest, or fails"},
		{
			"copy", "digest-tags fast include-external force-recursive",
			"leave it out; --referrers takes signatures and other referrers along",
		},
		{
			"copy", "override-os override-arch override-variant p",
			"--platform PLATFORM for Docker Engine; elsewhere a list is taken whole",
		},
		{"save", "format", "leave it out: the file is an OCI archive, which docker and podman load too"},
		{"save", "multi-image-archive m", "leave it out: mtool save NAME… takes several"},
		{"save", "compress uncompressed type", "leave it out: layers stay as they are"},
		{"load", "stdin", "mtool load -"},
		{"load", "input i", "name the file: mtool load FILE"},
		{"login", "password p pass", "--password-stdin: others on this machine can read a command line"},
		{"logout", "all a", "mtool logout HOST, for one registry after the other"},
		{"login", "pass-stdin", "--password-stdin"},
		{"login", "get-login", "mtool auth check REF"},
		{"prune", "force f", "leave it out: there is no question; --dry-run shows what would go"},
		{"prune", "all a", "say what: --builds, --drafts or --images"},
		{"prune", "filter until", "--older-than DURATION"},
		{"prune", "max-used-space reserved-space max-storage", "--builds --keep-storage SIZE"},
		{"serve", "disk blobs-to-disk root dir", "leave it out: what is pushed is kept in the local store"},
		{"serve", "tls-cert tlscert tls-key tlskey cert key", "serve has no TLS: put a proxy that has it in front"},
		{"serve", "readonly read-only", "leave it out: without --writable nobody can push"},
		{"serve", "htpasswd", "--auth-file FILE"},
		{"serve", "port p addr address", "--listen HOST:PORT"},
		{"emulators", "install", "mtool emulators install --host"},
		{"emulators", "uninstall", "mtool emulators uninstall --host"},
		{"workers,emulators", "list bootstrap", "leave it out"},
	}
}

// showing are the commands that print a table, or JSON.
const showing = "inspect,diff,resolve,tags,ls,du,workers,emulators,version,check-base"

func foreignShowFlags() []foreign {
	return []foreign{
		{
			"inspect", "override-os override-arch override-variant os arch variant platform p",
			"--require OS/ARCH demands a platform; mtool resolve REF --node PLATFORM shows its entry",
		},
		{"inspect", "digest", "mtool exists REF prints it; --format '{{.Digest}}' does too"},
		{"inspect", "pretty full expand", "-o tree or -o json"},
		{"inspect", "history layers", "-o tree"},
		{"inspect", "manifest descriptor", "--raw prints the manifest, -o json what it means"},
		{"inspect", "config", "-o json has the configs too"},
		{"inspect", "no-tags n", "leave it out: mtool tags NAME lists tags"},
		{"inspect", "type size s", "leave it out"},
		{"inspect", "key k", "--signed-by FILE"},
		{"resolve", "os arch variant", "--node OS/ARCH[/VARIANT]"},
		{"resolve", "platform p", "--node PLATFORM"},
		{showing, "json j", "-o json"},
		{
			"diff,resolve,tags,ls,du,workers,emulators,version,check-base", "format f",
			"-o json, and a program such as jq",
		},
		{"ls", "all a digests", "leave it out: all names are listed, with their digests"},
		{"ls", "tree history", "mtool inspect -o tree NAME"},
		{"version", "short client", "-o json, and a program such as jq"},
		{
			"ls,tags,du", "filter limit last n include exclude noheading sort",
			"-o json, and a program such as jq",
		},
		{"tags", "omit-digest-tags exclude-digest-tags O full-ref", "mtool tags NAME prints a tag a line, for grep and sed"},
	}
}

// foreignAnswer returns what to write in cmd for a flag of another tool; "": it is nobody's.
func foreignAnswer(cmd *cobra.Command, flag string) string {
	path := strings.TrimPrefix(cmd.CommandPath(), "mtool ")
	for _, row := range foreignFlags() {
		of := row.commands == "" || slices.Contains(strings.Split(row.commands, ","), path)
		if of && slices.Contains(strings.Fields(row.flags), flag) {
			return row.answer
		}
	}
	return ""
}
