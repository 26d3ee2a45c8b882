package print

import (
	"cmp"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"mtool/build"
	"mtool/build/emulator"
)

// VersionInfo is what a program was made from, and the emulators that it finds.
type VersionInfo struct {
	Version  string // without the leading v; "devel" if no tag is known
	Commit   string // empty if it is not known
	Date     string // of the commit, as RFC 3339 in UTC
	Modified bool   // there were changes that no commit has
	BuildKit string
	// Emulators are what builds would use here.
	Emulators []build.Emulation
}

// ReadVersion reads what the go command has written into a program: a module's version, and the commit if it was built
// in a clone. For the sources of an archive that git made, archived has the commit: "HASH DATE REFS".
func ReadVersion(info *debug.BuildInfo, archived string) VersionInfo {
	m := VersionInfo{Version: strings.TrimPrefix(info.Main.Version, "v")}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			m.Commit = s.Value
		case "vcs.time":
			m.Date = s.Value
		case "vcs.modified":
			m.Modified = s.Value == "true"
		}
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/moby/buildkit" {
			m.BuildKit = d.Version
		}
	}
	if m.Version == "" || m.Version == "(devel)" {
		m.Version = "devel"
		m.fromArchive(archived)
	}
	return m
}

// fromArchive takes what git archive has filled in.
func (m *VersionInfo) fromArchive(archived string) {
	hash, rest, ok := strings.Cut(strings.TrimSpace(archived), " ")
	if !ok || strings.HasPrefix(hash, "$") {
		return
	}
	date, refs, _ := strings.Cut(rest, " ")
	m.Commit = cmp.Or(m.Commit, hash)
	if at, err := time.Parse(time.RFC3339, date); err == nil && m.Date == "" {
		m.Date = at.UTC().Format(time.RFC3339)
	}
	for ref := range strings.SplitSeq(refs, ", ") {
		if tag, ok := strings.CutPrefix(ref, "tag: v"); ok {
			m.Version = tag
			return
		}
	}
}

type versionDocument struct {
	Schema    string         `json:"schema"`
	Version   string         `json:"version"`
	Commit    string         `json:"commit,omitempty"`
	Date      string         `json:"date,omitempty"`
	Modified  bool           `json:"modified,omitempty"`
	Platform  string         `json:"platform"`
	Go        string         `json:"go"`
	BuildKit  string         `json:"buildkit,omitempty"`
	Worker    string         `json:"worker"` // embedded, or remote: this system has no other
	Emulators []emulationRow `json:"emulators"`
}

// Version prints what a program was made from as text or as JSON (schema mtool.version/v1).
func Version(w io.Writer, output string, m VersionInfo) error {
	doc := versionDocument{
		"mtool.version/v1", m.Version, m.Commit, m.Date, m.Modified, runtime.GOOS + "/" + runtime.GOARCH, runtime.Version(),
		m.BuildKit,
		"remote", nil,
	}
	if build.CheckEmbedded() == nil {
		doc.Worker = "embedded"
	}
	doc.Emulators = []emulationRow{} // a list in JSON, not null
	for _, row := range emulationRows(m.Emulators) {
		if row.How == emulator.Emulated {
			doc.Emulators = append(doc.Emulators, row)
		}
	}
	if output == "json" {
		return writeJSON(w, doc)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printf(t, "mtool %s %s %s\n", doc.Version, doc.Platform, doc.Go)
	commit := doc.Commit
	if doc.Modified {
		commit += ", with changes"
	}
	printf(t, "commit\t%s\n", cmp.Or(commit, "unknown"))
	printf(t, "date\t%s\n", cmp.Or(doc.Date, "unknown"))
	printf(t, "buildkit\t%s\n", cmp.Or(doc.BuildKit, "unknown"))
	printf(t, "worker\t%s\n", doc.Worker)
	printf(t, "qemu\t%s\n", qemus(doc.Emulators))
	return t.Flush()
}

// qemus is the versions of the emulators that were found, each with its architectures.
func qemus(rows []emulationRow) string {
	var versions []string
	archs := map[string][]string{}
	for _, r := range rows {
		v := cmp.Or(r.Version, "unknown")
		if archs[v] == nil {
			versions = append(versions, v)
		}
		archs[v] = append(archs[v], r.Arch)
	}
	for i, v := range versions {
		versions[i] = v + " (" + strings.Join(archs[v], ", ") + ")"
	}
	return cmp.Or(strings.Join(versions, ", "), "none found")
}
