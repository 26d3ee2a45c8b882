package main_test

import (
	"strings"
	"testing"

	"mtool/cmd/internal/cli"
)

// evidence names for each row of mtool help compare the script or file that shows it, and a text in that file.
var evidence = map[string][2]string{
	"sources that are lists, at any depth":          {"like-crane", "lists within lists, flattened"},
	"OCI layouts and archives as sources":           {"like-buildx", "oci:out:v1 $REGISTRY/demo:s390x"},
	"images of Docker Engine as sources":            {"testdata/integration/engine-images.txtar", "docker-daemon:"},
	"a bare digest, or a descriptor, as a source":   {"descriptors", "# A descriptor is read by its digest"},
	"attestations follow their image when filtered": {"like-regctl", "# With the attestations of the two"},
	"attestations made referrers":                   {"attestations-referrers", "--attestations referrers"},
	"an entry is replaced by its platform":          {"drafts", "# amend replaces by platform."},
	"two entries of one platform are refused": {
		"duplicate-platform",
		"# Two sources of one platform are an error that names both",
	},
	"os.version is kept": {"like-buildx", "10.0.17763.1.*10.0.20348.1"},
	"a platform that contradicts the config is refused": {
		"published",
		"# A platform that contradicts the config is refused.",
	},
	"remove by platform, digest or source": {"like-buildah", "mtool remove foo:v1 $REGISTRY/demo:arm64"},
	"attestations go when their image is removed": {
		"like-regctl",
		"removed sha256:[0-9a-f]{64} with 1 attestation",
	},
	"annotations of the list, set":                        {"like-buildah", "--annotation list=a,b"},
	"annotations and parts of a platform, unset":          {"like-buildah", "--unset os.version"},
	"nothing of a published list is lost when it changes": {"published", "nothing it had is lost"},
	"media type chosen, images converted":                 {"children", "--type docker --convert"},
	"copies across registries":                            {"like-skopeo", "mtool copy $REGISTRY/demo@$V1 $OTHER"},
	"several targets in one call, each on its own":        {"several-targets", "exits 10"},
	"a source that has moved stops the push":              {"moved-source", "exits 7"},
	"a tag that somebody else moved stops the push": {
		"compose/publish/upload_test.go",
		`{"moved", &other, compose.ErrMoved}`,
	},
	"the final digest, the bytes and the plan, dry":       {"dry-run", "--dry-run"},
	"a failed create leaves nothing behind":               {"like-buildah", "# A failed create leaves no name behind"},
	"signatures and other referrers carried":              {"referrers", "--referrers"},
	"a YAML file says what the list is, strictly":         {"spec-file", "unknown field"},
	"SemVer tags moved forward":                           {"semver", "--semver"},
	"drafts are listed, and a broken one can be removed":  {"drafts", "# A broken file is named, and can be removed."},
	"entries checked against the images' configs":         {"lying-lists", "exits 3"},
	"entries checked against the binaries in the layers":  {"deep-entrypoint", "exits 3"},
	"the entry that a node gets, by each runtime's rules": {"resolve", "its nodes take linux/arm/v6"},
	"two lists compared, with an exit code":               {"diff", "exits 3 mtool diff"},
	"exit codes that tell what went wrong":                {"cmd/internal/cli/exit_test.go", "ErrPartial"},
	"the local store served as a registry": {
		"testdata/integration/serve-conformance.txtar",
		"# The distribution specification's conformance tests",
	},
	"all tags of a repository copied by one command": {"cmd/internal/cli/foreignflags.go", "each to be copied"},
	"tested on macOS and Windows":                    {"./README.md", "untested there"},
}

// TestCompare checks mtool help compare: every row has evidence, all evidence has a row, and the evidence exists.
func TestCompare(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if code := cli.Run(t.Context(), []string{"help", "compare"},
		cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &out}); code != 0 {
		t.Fatalf("code %d: %s", code, out.String())
	}
	for _, complaint := range unproved(t, out.String(), evidence) {
		t.Error(complaint)
	}
	for name, table := range map[string]string{
		"a row without evidence": out.String() + "reads minds   +     -\n",
		"a row that claims less": strings.Replace(out.String(), "SemVer tags moved forward                             +",
			"SemVer tags moved forward                             -", 1),
		"a row that claims more": strings.Replace(out.String(), "tested on macOS and Windows                           o",
			"tested on macOS and Windows                           +", 1),
		"a row that is gone": strings.Replace(out.String(), "os.version is kept", "os.version        ", 1),
	} {
		if len(unproved(t, table, evidence)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	lies := map[string][2]string{"SemVer tags moved forward": {"semver", "no such text"}}
	if len(unproved(t, "\nSemVer tags moved forward   +     -\n", lies)) == 0 {
		t.Error("evidence that does not exist is accepted")
	}
}

// unproved lists the rows that have no evidence or say that mtool lacks a feature, and the evidence without a row or
// text.
func unproved(t *testing.T, table string, evidence map[string][2]string) []string {
	t.Helper()
	var complaints []string
	seen := map[string]bool{}
	better := "+" // the possible marks of mtool in a row
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "Where others are better") {
			better = "-o"
			continue
		}
		feature, cells, row := strings.Cut(strings.TrimRight(line, "\n"), "   ")
		if !row || feature == "" {
			continue // the header
		}
		feature = strings.TrimSpace(feature)
		proof, known := evidence[feature]
		seen[feature] = true
		switch {
		case !known:
			complaints = append(complaints, "no evidence for "+feature)
		case !strings.Contains(better, strings.TrimSpace(cells)[:1]):
			complaints = append(complaints, "under the wrong heading: "+feature)
		case !holds(t, proof[0], proof[1]):
			complaints = append(complaints, proof[0]+" does not contain "+proof[1])
		}
	}
	for feature := range evidence {
		if !seen[feature] {
			complaints = append(complaints, "no row for "+feature)
		}
	}
	return complaints
}
