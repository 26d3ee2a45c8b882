package cli

import (
	"fmt"
	"strings"

	"mtool/build/advice"
	"mtool/build/device"
	"mtool/build/emulator"
	"mtool/build/snapshot"
	"mtool/compose"
	"mtool/compose/draft"
	"mtool/compose/publish"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/settings"
	"mtool/registry/source"
	"mtool/registry/store"
)

// hintOf returns the next action for the first error in err that has one, outermost first. What libraries suggest needs
// no command line: errors that a flag or a command can mend are in hintFor.
func hintOf(err error) string {
	if hint := hintFor(err); hint != "" {
		return hint
	}
	if h, ok := err.(registry.Hinter); ok && h.Hint() != "" {
		return h.Hint()
	}
	switch e := err.(type) { //nolint:errorlint // each layer is looked at by itself
	case interface{ Unwrap() error }:
		return hintOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if hint := hintOf(inner); hint != "" {
				return hint
			}
		}
	}
	return ""
}

// hintFor returns the flag or command that mends err, "" where there is none. It does not look into what err wraps.
func hintFor(err error) string {
	switch e := err.(type) { //nolint:errorlint // as above
	case *remote.Error:
		return remoteHint(e)
	case *registry.ForeignError:
		return foreignHint(e)
	case *registry.FileError:
		return fileHint(e.Path)
	case *store.DamagedError:
		return "remove the damaged image: mtool rm " + e.Name
	case interface{ Advised() advice.Advice }:
		return adviceHint(e.Advised())
	case *emulator.HostError:
		return emulatorHint(e)
	case *draft.NotFoundError:
		return "make it with mtool create " + e.Name + " IMAGE…"
	case *draft.CorruptError:
		return draftHint(e)
	case *workload.WithheldError:
		return "mtool inspect --env " + e.Name + " -f FILE, or --env-file FILE with the variables"
	case *snapshot.DeviceError:
		if e.Archive != "" {
			return "take the devices out of the archive (tar --exclude), or use a worker that makes them: --worker ADDRESS"
		}
		return "--skip-devices leaves devices out; a buildkitd that runs as root makes them: --worker ADDRESS"
	}
	for _, row := range kindHints() {
		if isKind(err, row.kind) {
			return row.hint
		}
	}
	return ""
}

func fileHint(path string) string {
	if strings.HasSuffix(path, ".yaml") || strings.HasSuffix(path, ".yml") {
		return "for the images that it names: mtool inspect -f " + path
	}
	return ""
}

func emulatorHint(e *emulator.HostError) string {
	if e.Unmounted != "" {
		return "as root: mount -t binfmt_misc binfmt_misc " + e.Unmounted
	}
	return ""
}

func draftHint(e *draft.CorruptError) string {
	if e.Foreign {
		return "use the version of mtool that wrote it, or remove it with mtool rm " + e.Name
	}
	return "remove it with mtool rm " + e.Name
}

// isKind reports whether err itself is of the kind, whatever it wraps.
func isKind(err, kind error) bool {
	if err == kind { //nolint:errorlint // err alone
		return true
	}
	e, ok := err.(interface{ Is(target error) bool })
	return ok && e.Is(kind)
}

// kindHint is the next action for errors of one kind.
type kindHint struct {
	kind error
	hint string
}

// kindHints has the narrower kind first.
func kindHints() []kindHint {
	return []kindHint{
		{publish.ErrDropped, "say what the list must serve with --require, or push it all the same with --force"},
		{publish.ErrDamaged, "push it all the same with --force"},
		{publish.ErrTaken, "push it under another tag, or leave out --no-clobber"},
		{publish.ErrOverwrite, "push it under another tag, or use --force"},
		{compose.ErrSourceMoved, "take the new one with push --refresh, or give the source to create or amend again"},
		{compose.ErrSelf, "leave it out; to change a list that is published use amend --published"},
		{compose.ErrDuplicate, "leave one of them out, or choose with --on-duplicate replace|keep"},
		{compose.ErrNothingLeft, "to delete the list itself: mtool rm LIST"},
		{compose.ErrDockerList, "use --type oci, or leave that out"},
		{compose.ErrDockerEntries, "make Docker images of them with --convert, or use --type oci"},
		{compose.ErrDockerLayers, "compress them with --compression gzip, or use --type oci"},
		{compose.ErrDockerImage, "convert it: --type oci --convert"},
		{compose.ErrAttested, "leave out --attestations keep, and they are dropped"},
		{compose.ErrUnknown, "--force writes it nevertheless"},
		{
			compose.ErrContradicts,
			"an annotation does not change what an image contains: build it for that platform, or use --force",
		},
		{compose.ErrNoPlatform, "rebuild it with a platform, or take it as it is with --force"},
		{compose.ErrPlatform, "--force takes it as it is"},
		{workload.ErrTemplate, "helm template RELEASE CHART | mtool inspect -f -"},
		{workload.ErrElsewhere, "docker compose config | mtool inspect -f -"},
		{workload.ErrOutside, "docker compose config | mtool inspect -f -"},
		{settings.ErrHeader, "credentials belong to mtool login HOST"},
		{settings.ErrMirror, "credentials belong to mtool login HOST, with the mirror's host"},
		{
			source.ErrNoPodman,
			"where podman is: podman save --format oci-archive -o image.tar NAME, then oci-archive:image.tar",
		},
		{source.ErrNotBuilt, "build it first, or fetch it with --from registry"},
		{device.ErrNotMade, "an archive can have them: -o type=tar,dest=FILE; --skip-devices leaves them out"},
	}
}

func remoteHint(e *remote.Error) string {
	switch e.Reason {
	case remote.Untrusted:
		return "name its authority with --ca-file FILE, or add --tls-skip-verify " + e.Peer
	case remote.PlainHTTP:
		return "add --plain-http " + e.Peer
	case remote.SpeaksTLS:
		return "leave out --plain-http " + e.Peer
	case remote.WrongLogin:
		return "log in with \"mtool login " + e.Peer + "\""
	case remote.NoLogin:
		return "log in with \"mtool login " + e.Peer + "\"; a repository that does not exist is answered like this too"
	case remote.Standstill:
		return "--idle-timeout and --min-rate say how long a request may stand still"
	}
	return ""
}

// foreignHint returns what to write instead of a name with another tool's prefix.
func foreignHint(e *registry.ForeignError) string {
	switch e.Prefix {
	case "http://", "https://":
		return "leave the scheme out; for a registry without TLS add --plain-http HOST"
	case "file://":
		return fmt.Sprintf("write oci:%s for a directory; oci-archive:%s or docker-archive:%s for an archive",
			e.Rest, e.Rest, e.Rest)
	case "oci-layout:":
		return "write oci:" + e.Rest
	case "ostree:":
		return "skopeo copy ostree:" + e.Rest + " oci:DIR, then oci:DIR"
	}
	if strings.HasSuffix(e.Prefix, "//") {
		return "write " + e.Rest + " for what is in a registry; mtool help names lists the transports"
	}
	return "mtool help names lists the transports"
}
