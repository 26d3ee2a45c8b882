package faults

import (
	"slices"
	"strings"
)

// command is a command line that talks to a registry. S/ and D/ stand for repositories of two registries, F/ for a
// folder, N/ for a name without a registry. What it publishes is D/demo:v9.
type command struct {
	name      string
	line      string
	faulty    string   // S or D: which of the registries has the faults
	before    []string // command lines to run first, without faults
	after     string   // a command line that cleans up, even after a failure
	code      int      // exit code without faults
	partly    bool     // some of several tags may be written: code 10
	slow      bool     // make test tries only few faults
	frail     bool     // it does not retry, so that one fault ends it
	kept      bool     // a draft or a file holds the faulty registry's name: another address can't be used instead
	look      string   // a command line that shows what the command makes on this machine
	shows     bool     // its output says which images can't be read
	spare     bool     // another registry has the content too, so that no fault matters
	missing   bool     // it accepts missing content
	referrers bool     // the registries have the referrers API
}

// works reports whether the command needs a worker.
func (c command) works() bool {
	return strings.HasPrefix(c.line, "build ") || strings.Contains(c.line, " --run ")
}

func matrixCommands() []command {
	return slices.Concat(readingCommands(), buildCommands(), localCommands(), publishingCommands(), dropInCommands())
}

// Command lines for before.
const (
	create    = "create D/demo:v9 S/demo:amd64 S/demo:arm64"
	published = "copy S/demo:v1 D/demo:v9"
	amd64     = "copy S/demo:amd64 D/demo:amd64"
	arm64     = "copy S/demo:arm64 D/demo:arm64"
)

// Command lines for look.
const (
	draftD   = "inspect --raw draft:D/demo:v9"
	draftN   = "inspect --raw draft:N/demo:v9"
	storeN   = "inspect --deep --no-facts --no-verify -o json store:N/demo:v9"
	layoutF  = "inspect --deep --no-facts -o json oci:F/layout:v1"
	archiveF = "inspect --deep --no-facts -o json oci-archive:F/out.tar"
)

func readingCommands() []command {
	return []command{
		{name: "inspect", line: "inspect S/demo:v1 -o json", faulty: "S"},
		{name: "inspect --raw", line: "inspect --raw S/demo:v1", faulty: "S"},
		{name: "inspect --deep", line: "inspect --deep --no-facts S/demo:v1", faulty: "S"},
		{name: "inspect --deep of a large layer", line: "inspect --deep --no-facts S/demo:large", faulty: "S", slow: true},
		{name: "inspect --files", line: "inspect --files F/pod.yaml --no-facts -o json", faulty: "S", kept: true},
		{name: "inspect --signatures", line: "inspect --signatures S/demo:v1", faulty: "S", shows: true},
		{name: "inspect --signed-by", line: "inspect --signed-by F/key.pub S/demo:v1", faulty: "S"},
		{name: "inspect --provenance", line: "inspect --provenance S/demo:attested", faulty: "S"},
		{name: "inspect --run", line: "inspect --run /app --format {{.Digest}} S/demo:run", faulty: "S", slow: true},
		{
			name: "inspect through a mirror", line: "inspect --deep --no-facts --mirror {D}={S} D/demo:v1", faulty: "S",
			before: []string{"copy S/demo:v1 D/demo:v1"}, spare: true,
		},
		{name: "diff", line: "diff S/demo:v1 S/demo:v2", faulty: "S", code: 3},
		{name: "exists", line: "exists S/demo:v1", faulty: "S"},
		{name: "auth check", line: "auth check S/demo:v1", faulty: "S"},
		{name: "auth check --push", line: "auth check --push D/demo:v1", faulty: "D"},
		{name: "login", line: "login {D} -u bob --password-stdin", faulty: "D"},
		{
			name: "login by a token", line: "login {D} --identity-token-stdin", faulty: "D",
			after: "login {D} -u bob --password-stdin",
		},
	}
}

func buildCommands() []command {
	const (
		any    = "build --arch amd64 --source-date-epoch 0 F/context "
		build  = any + "--build-arg BASE=S/demo:amd64 "
		cached = "build --arch amd64 --source-date-epoch 0 F/cached --build-arg BASE=S/demo:amd64 -t N/demo:v9 "
	)
	return []command{
		{name: "build, base", line: build + "-t N/demo:v9", faulty: "S", slow: true, look: storeN},
		{
			name: "build, context",
			line: any + "--build-arg BASE=other --build-context other=docker-image://S/demo:amd64 -t N/demo:v9", faulty: "S",
			slow: true, look: storeN,
		},
		{name: "build --preflight", line: build + "--preflight", faulty: "S", slow: true},
		{name: "build --push", line: build + "-t D/demo:v9 --push", faulty: "D", slow: true},
		{
			name: "build --push-by-digest", line: build + "--push-by-digest D/demo --result F/result.json", faulty: "D",
			slow: true,
		},
		{
			name: "build --cache-from", line: cached + "--cache-from type=registry,ref=S/cache:v1", faulty: "S", slow: true,
			look: storeN, before: []string{cached + "--cache-to type=registry,ref=S/cache:v1", "rm store:N/demo:v9"},
		},
		{
			name: "build --cache-to", line: cached + "--cache-to type=registry,ref=D/cache:v1", faulty: "D", slow: true,
			frail: true, look: storeN,
		},
		{
			name: "build --reproduce", line: build + "--reproduce S/built:v1", faulty: "S", slow: true,
			before: []string{build + "-t S/built:v1 --push"},
		},
	}
}

// localCommands returns commands that make something on this machine.
func localCommands() []command {
	return []command{
		{name: "create", line: create, faulty: "S", look: draftD},
		{
			name: "create --template", line: "create N/demo:v9 --template S/demo:ARCH --platform linux/amd64,linux/arm64",
			faulty: "S", look: draftN,
		},
		{
			name: "create --ignore-missing", line: "create N/demo:v9 S/demo:amd64 S/demo:arm64 S/demo:none --ignore-missing",
			faulty: "S", missing: true, look: draftN,
		},
		{
			name: "amend of a draft", line: "amend N/demo:v9 S/demo:s390x", faulty: "S",
			before: []string{"create N/demo:v9 S/demo:amd64 S/demo:arm64"}, look: draftN,
		},
		{name: "copy to the store", line: "copy S/demo:attested store:N/demo:v9", faulty: "S", look: storeN},
		{
			name: "copy to the store through a mirror", line: "copy --mirror {D}={S} D/demo:v1 store:N/demo:v9", faulty: "S",
			before: []string{"copy S/demo:v1 D/demo:v1"}, spare: true, look: storeN,
		},
		{name: "copy to a layout", line: "copy S/demo:v1 oci:F/layout:v1", faulty: "S", look: layoutF},
		{name: "copy to an archive", line: "copy S/demo:v1 oci-archive:F/out.tar:v1", faulty: "S", look: archiveF},
		{name: "save", line: "save S/demo:v1 -o F/out.tar", faulty: "S", look: archiveF},
	}
}

func publishingCommands() []command {
	return []command{
		{name: "create --push, sources", line: create + " --push --confirm", faulty: "S"},
		{name: "create --push, target", line: create + " --push --confirm", faulty: "D"},
		{
			name: "create --push, mounts", line: "create D/demo:v9 D/one:amd64 D/two:arm64 --push --confirm", faulty: "D",
			before: []string{"copy S/demo:amd64 D/one:amd64", "copy S/demo:arm64 D/two:arm64"},
		},
		{name: "create --push --deep", line: create + " --push --deep --no-facts --confirm", faulty: "S"},
		{name: "create --push --convert", line: create + " --push --convert --type docker --confirm", faulty: "D"},
		{
			name: "create --push --keep-child-tags", line: create + " --push --keep-child-tags TAG-ARCH --confirm", faulty: "D",
			partly: true,
		},
		{
			name: "create --push --attestations referrers",
			line: "create D/demo:v9 S/demo:attested --attestations referrers --push --confirm", faulty: "D", referrers: true,
		},
		{
			name: "create --to another registry",
			line: "create D/demo:v9 D/demo:amd64 D/demo:arm64 --to S/second:v9 --push --confirm", faulty: "S",
			before: []string{amd64, arm64}, partly: true,
		},
		{
			name: "create --semver", line: "create D/demo --semver 1.2.3 S/demo:amd64 S/demo:arm64 --confirm", faulty: "D",
			partly: true,
		},
		{
			name: "push of a draft, sources", line: "push D/demo:v9 --confirm", faulty: "S", before: []string{create},
			kept: true, look: draftD,
		},
		{
			name: "push of a draft, target", line: "push D/demo:v9 --confirm --purge", faulty: "D", before: []string{create},
			kept: true, look: draftD,
		},
		{
			name: "push of a store image", line: "push store:N/demo:v1 D/demo:v9 --confirm", faulty: "D",
			before: []string{"copy S/demo:v1 store:N/demo:v1"},
		},
		{
			name: "push of a layout", line: "push oci:F/layout:v1 D/demo:v9 --confirm", faulty: "D",
			before: []string{"copy S/demo:v1 oci:F/layout:v1"},
		},
		{
			name: "push of an archive", line: "push oci-archive:F/out.tar D/demo:v9 --confirm", faulty: "D",
			before: []string{"save S/demo:v1 -o F/out.tar"},
		},
		{
			name: "push of a large layer", line: "push oci:F/layout:v1 D/demo:v9 --confirm", faulty: "D",
			before: []string{"copy S/demo:large oci:F/layout:v1"}, slow: true,
		},
		{
			name: "push --referrers", line: "push oci:F/layout:v1 D/demo:v9 --referrers --confirm", faulty: "D",
			before: []string{"copy --referrers S/demo:v1 oci:F/layout:v1"},
		},
		{
			name: "amend --published, source", line: "amend --published D/demo:v9 S/demo:s390x --confirm", faulty: "S",
			before: []string{published},
		},
		{
			name: "amend --published, target", line: "amend --published D/demo:v9 S/demo:s390x --confirm", faulty: "D",
			before: []string{published},
		},
		{
			name: "annotate --published", line: "annotate --published D/demo:v9 --annotation a=b --confirm", faulty: "D",
			before: []string{published},
		},
		{
			name: "annotate --published --child",
			line: "annotate --published --child D/demo:v9 linux/arm64 --annotation a=b --confirm", faulty: "D",
			before: []string{published},
		},
		{
			name: "remove --published", line: "remove --published D/demo:v9 linux/arm64 --confirm", faulty: "D",
			before: []string{published},
		},
		{name: "copy, source", line: "copy S/demo:v1 D/demo:v9 --confirm", faulty: "S"},
		{name: "copy, target", line: "copy S/demo:v1 D/demo:v9 --confirm", faulty: "D"},
		{
			name: "copy, mounts", line: "copy D/one:v1 D/demo:v9 --confirm", faulty: "D",
			before: []string{"copy S/demo:v1 D/one:v1"},
		},
		{name: "copy of a large layer, source", line: "copy S/demo:large D/demo:v9 --confirm", faulty: "S", slow: true},
		{name: "copy of a large layer, target", line: "copy S/demo:large D/demo:v9 --confirm", faulty: "D", slow: true},
		{name: "copy --referrers", line: "copy --referrers S/demo:v1 D/demo:v9", faulty: "S"},
		{name: "copy --referrers by the API", line: "copy --referrers S/demo:v1 D/demo:v9", faulty: "D", referrers: true},
	}
}

func dropInCommands() []command {
	return []command{
		{name: "manifest inspect", line: "manifest inspect S/demo:v1", faulty: "S"},
		{name: "manifest inspect -v", line: "manifest inspect -v S/demo:v1", faulty: "S"},
		{
			name: "manifest create", line: "manifest create D/demo:v9 D/demo:amd64 D/demo:arm64", faulty: "D",
			before: []string{amd64, arm64}, look: draftD,
		},
		{
			name: "manifest create --amend", line: "manifest create --amend D/demo:v9 S/demo:s390x", faulty: "S",
			before: []string{create}, look: draftD,
		},
		{
			name: "manifest push", line: "manifest push --confirm --purge D/demo:v9", faulty: "D",
			before: []string{amd64, arm64, "manifest create D/demo:v9 D/demo:amd64 D/demo:arm64"}, kept: true, look: draftD,
		},
		{name: "imagetools inspect", line: "imagetools inspect S/demo:v1", faulty: "S"},
		{
			name: "imagetools inspect --format", line: "imagetools inspect --format {{.Image}}{{.SBOM}} S/demo:attested",
			faulty: "S",
		},
		{
			name: "imagetools create, sources", line: "imagetools create --confirm -t D/demo:v9 S/demo:amd64 S/demo:arm64",
			faulty: "S",
		},
		{
			name: "imagetools create, target", line: "imagetools create --confirm -t D/demo:v9 S/demo:amd64 S/demo:arm64",
			faulty: "D",
		},
		{name: "imagetools create of a copy", line: "imagetools create --confirm -t D/demo:v9 S/demo:v1", faulty: "D"},
		{
			name: "imagetools create --append", line: "imagetools create --confirm --append -t D/demo:v9 S/demo:s390x",
			faulty: "D", before: []string{published},
		},
		{
			name: "imagetools create of two tags",
			line: "imagetools create --confirm -t D/demo:v9 -t D/two:v9 S/demo:amd64 S/demo:arm64", faulty: "D", partly: true,
		},
	}
}
