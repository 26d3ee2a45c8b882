package cli

import (
	"io"
	"strings"

	"mtool/cmd/internal/print"
)

// replaced are the commands of one tool with what to write instead; R is a registry.
type replaced struct {
	tool string
	rows [][2]string // theirs, ours
}

// migrating is held to testdata/script/migrating.txtar, which runs every line of ours.
func migrating() []replaced { //nolint:funlen // a table
	return []replaced{
		{"docker manifest (or put \"mtool\" in place of \"docker\": mtool manifest takes its words)", [][2]string{
			{"docker manifest create R/demo:v1 R/demo:amd64 R/demo:arm64", "mtool create R/demo:v1 R/demo:amd64 R/demo:arm64"},
			{"docker manifest create --amend R/demo:v1 R/demo:riscv64", "mtool amend R/demo:v1 R/demo:riscv64"},
			{
				"docker manifest annotate R/demo:v1 R/demo:arm64 --variant v8",
				"mtool annotate R/demo:v1 R/demo:arm64 --variant v8",
			},
			{"docker manifest inspect R/demo:v1", "mtool inspect draft:R/demo:v1"},
			{"docker manifest push R/demo:v1", "mtool push R/demo:v1"},
			{"docker manifest push --purge R/demo:v1", "mtool push R/demo:v1 --purge"},
		}},
		{"docker buildx imagetools (or mtool imagetools, in its words)", [][2]string{
			{
				"docker buildx imagetools create -t R/demo:v2 R/demo:amd64 R/demo:arm64",
				"mtool create R/demo:v2 R/demo:amd64 R/demo:arm64 --push",
			},
			{
				"docker buildx imagetools create --append -t R/demo:v2 R/demo:riscv64",
				"mtool amend R/demo:v2 R/demo:riscv64 --published",
			},
			{"docker buildx imagetools create -t R/demo:stable R/demo:v2", "mtool copy R/demo:v2 R/demo:stable"},
			{"docker buildx imagetools inspect R/demo:v2", "mtool inspect R/demo:v2"},
			{"docker buildx imagetools inspect --raw R/demo:v2", "mtool inspect --raw R/demo:v2"},
		}},
		{"manifest-tool", [][2]string{
			{"manifest-tool push from-spec spec.yaml", "mtool create --spec spec.yaml --push"},
			{
				"manifest-tool push from-args --platforms linux/amd64,linux/arm64 --template R/demo:ARCH --target R/demo:v3",
				"mtool create R/demo:v3 --platform linux/amd64,linux/arm64 --template R/demo:ARCH --push",
			},
			{"manifest-tool inspect R/demo:v3", "mtool inspect R/demo:v3"},
		}},
		{"crane", [][2]string{
			{"crane index append R/demo:v2 -m R/demo:s390x -t R/demo:v2", "mtool amend R/demo:v2 R/demo:s390x --published"},
			{
				"crane index filter R/demo:v2 --platform linux/arm64 -t R/demo:arm",
				"mtool create R/demo:arm R/demo:v2 --platform linux/arm64 --push",
			},
			{"crane copy R/demo:v2 R/other:v2", "mtool copy R/demo:v2 R/other:v2"},
			{"crane digest R/demo:v2", "mtool exists R/demo:v2"},
			{"crane manifest R/demo:v2", "mtool inspect --raw R/demo:v2"},
			{"crane ls R/demo", "mtool tags R/demo"},
			{"crane catalog R", "mtool ls R"},
			{"crane delete R/other:v2", "mtool delete R/other:v2"},
			{
				"crane mutate R/demo:amd64 --label k=v -t R/demo:set",
				"mtool set --published R/demo:amd64 --label k=v -t R/demo:set",
			},
			{
				"crane rebase R/demo:v2 --old_base R/base:1 --new_base R/base:2 -t R/demo:re",
				"mtool rebase --published R/demo:v2 --old R/base:1 --new R/base:2 -t R/demo:re",
			},
		}},
		{"regctl", [][2]string{
			{
				"regctl index create R/demo:v4 --ref R/demo:amd64 --ref R/demo:arm64",
				"mtool create R/demo:v4 R/demo:amd64 R/demo:arm64 --push",
			},
			{"regctl index add R/demo:v4 --ref R/demo:riscv64", "mtool amend R/demo:v4 R/demo:riscv64 --published"},
			{"regctl index delete R/demo:v4 --platform linux/riscv64", "mtool remove R/demo:v4 linux/riscv64 --published"},
			{"regctl image copy --referrers R/demo:v4 R/other:v4", "mtool copy --referrers R/demo:v4 R/other:v4"},
			{"regctl image mod R/demo:v4 --label k=v --replace", "mtool set --published R/demo:v4 --label k=v"},
			{"regctl image check-base R/demo:v4 --base R/base:1", "mtool check-base R/demo:v4 --base R/base:1"},
			{"regctl tag ls R/demo", "mtool tags R/demo"},
			{"regctl tag delete R/other:v4", "mtool delete R/other:v4"},
			{"regctl manifest diff R/demo:v2 R/demo:v4", "mtool diff R/demo:v2 R/demo:v4"},
		}},
		{"podman manifest, buildah manifest (or mtool podman-manifest, in their words)", [][2]string{
			{
				"podman manifest create demo:v5; podman manifest add demo:v5 docker://R/demo:amd64",
				"mtool create demo:v5 docker://R/demo:amd64",
			},
			{"podman manifest add demo:v5 docker://R/demo:arm64", "mtool amend demo:v5 docker://R/demo:arm64"},
			{"podman manifest annotate --annotation k=v demo:v5 DIGEST", "mtool annotate demo:v5 linux/arm64 --annotation k=v"},
			{"podman manifest remove demo:v5 DIGEST", "mtool remove demo:v5 linux/arm64"},
			{"podman manifest inspect demo:v5", "mtool inspect draft:demo:v5"},
			{"podman manifest push --all demo:v5 docker://R/demo:v5", "mtool push demo:v5 R/demo:v5"},
			{
				"buildah manifest push --all -f v2s2 demo:v5 docker://R/demo:v5d",
				"mtool podman-manifest push -f v2s2 demo:v5 R/demo:v5d",
			},
			{"buildah manifest push --all demo:v5 dir:files", "mtool push demo:v5 dir:files"},
			{"podman manifest exists demo:v5", "mtool exists draft:demo:v5"},
			{"podman manifest rm demo:v5", "mtool rm demo:v5"},
		}},
		{"skopeo", [][2]string{
			{"skopeo copy --all docker://R/demo:v2 oci:out:v2", "mtool copy R/demo:v2 oci:out:v2"},
			{
				"skopeo copy --all --dest-compress-format zstd docker://R/demo:v2 docker://R/demo:zstd",
				"mtool copy R/demo:v2 R/demo:zstd --compression zstd",
			},
			{"skopeo inspect --raw docker://R/demo:v2", "mtool inspect --raw R/demo:v2"},
			{"skopeo list-tags docker://R/demo", "mtool tags R/demo"},
			{"skopeo delete docker://R/demo:arm", "mtool delete R/demo:arm"},
		}},
		{"oras", [][2]string{
			{"oras manifest index create R/demo:v6 amd64 arm64", "mtool create R/demo:v6 R/demo:amd64 R/demo:arm64 --push"},
			{"oras manifest index update R/demo:v6 --add riscv64", "mtool amend R/demo:v6 R/demo:riscv64 --published"},
			{"oras repo tags R/demo", "mtool tags R/demo"},
			{"oras repo ls R", "mtool ls R"},
		}},
		{"Kaniko and others that write one image each", [][2]string{
			{"executor --no-push --tar-path amd64.tar; manifest-tool …", "mtool create R/demo:v7 amd64.tar R/demo:arm64 --push"},
		}},
	}
}

const migratingLead = "What to write in place of other tools' commands; R is a registry. A list that is made without --push is a draft, which " +
	"mtool push publishes."

func writeMigratingHelp(w io.Writer) {
	head := []string{migratingLead, ""}
	for _, t := range migrating() {
		head = append(head, t.tool)
	}
	writeMigrating(w, head)
}

// writeMigrating prints the table; head is what stands above it, an empty line, and the name of each tool.
func writeMigrating(w io.Writer, head []string) {
	print.Println(w, head[0])
	for i, t := range migrating() {
		for _, line := range []string{"", head[i+2], ""} {
			print.Println(w, line)
		}
		for _, row := range t.rows {
			for _, line := range append(shellLines("  ", row[0]), shellLines("    ", row[1])...) {
				print.Println(w, line)
			}
		}
	}
}

// shellLines breaks a command that is longer than a line, as a shell takes it.
func shellLines(indent, command string) []string {
	const widest = 78
	var lines []string
	for len(indent)+len(command) > widest {
		cut := strings.LastIndexByte(command[:widest-len(indent)], ' ')
		if cut < 0 {
			break
		}
		lines = append(lines, indent+command[:cut]+" \\")
		indent, command = "      ", command[cut+1:]
	}
	return append(lines, indent+command)
}
