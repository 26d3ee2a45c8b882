package print

import (
	"fmt"
	"io"

	"mtool/build"
	"mtool/build/emulator"
)

// Emulators prints how a machine runs each architecture as a table or as JSON (schema mtool.emulators/v1).
func Emulators(w io.Writer, output string, rows []build.Emulation) error {
	if output == "json" {
		return writeJSON(w, struct {
			Schema string         `json:"schema"`
			Rows   []emulationRow `json:"architectures"`
		}{"mtool.emulators/v1", emulationRows(rows)})
	}
	t := newTable(w, "ARCH", stateColumn("RUNS"), pathColumn("EMULATOR"), "VERSION", textColumn("HOST"),
		stateColumn("TEST"))
	for _, r := range emulationRows(rows) {
		binary := r.Binary
		switch {
		case r.How == emulator.Missing && r.Package != "":
			binary = "(package " + r.Package + ")"
		case r.How == emulator.Missing:
			binary = "(none)"
		case r.How == emulator.Emulated && binary == "":
			binary = "(the host's entry)"
		}
		host := r.HostEntry
		if host != "" {
			host += " (" + r.HostFlags + ")"
		}
		t.row(r.Arch, r.How, dash(binary), dash(r.Version), dash(host), dash(r.Test))
	}
	return t.flush()
}

type emulationRow struct {
	Arch      string `json:"arch"`
	How       string `json:"runs"`
	Emulator  string `json:"emulator,omitempty"` // qemu-NAME
	Binary    string `json:"binary,omitempty"`   // what builds register privately
	Flags     string `json:"flags,omitempty"`    // with which they do
	Version   string `json:"version,omitempty"`
	HostEntry string `json:"hostEntry,omitempty"`
	HostFlags string `json:"hostFlags,omitempty"`
	Package   string `json:"package,omitempty"` // to install when missing
	Error     string `json:"error,omitempty"`
	Test      string `json:"test,omitempty"` // ok, or failed
}

func emulationRows(rows []build.Emulation) []emulationRow {
	out := make([]emulationRow, 0, len(rows))
	for _, r := range rows {
		row := emulationRow{
			Arch: r.Arch, How: r.How, Binary: r.Found.Path, Version: r.Version, HostEntry: r.Entry.Name,
			HostFlags: r.Entry.Flags,
		}
		if r.Emulator != "" {
			row.Emulator = "qemu-" + r.Emulator
		}
		if row.Binary != "" {
			row.Flags = emulator.Flags
		}
		if r.Err != nil {
			row.Error = r.Err.Error()
			if e, known := emulator.ByArch(r.Arch); known && r.Emulator != "" {
				row.Package = e.Package()
			}
		}
		switch {
		case r.TestErr != nil:
			row.Test = "failed"
			row.Error = r.TestErr.Error()
		case r.Tested:
			row.Test = "ok"
		}
		out = append(out, row)
	}
	return out
}

// Registered says of each emulator what was done on the host.
func Registered(done []emulator.Registered, install bool) []string {
	var lines []string
	for _, r := range done {
		switch {
		case install && r.Changed:
			lines = append(lines, fmt.Sprintf("registered %s as %s, until the next boot", r.Arch, r.Entry))
		case install:
			lines = append(lines, fmt.Sprintf("unchanged: %s runs by the entry %s", r.Arch, r.Entry))
		case r.Changed:
			lines = append(lines, fmt.Sprintf("removed %s, the entry of %s", r.Entry, r.Arch))
		case r.Other:
			lines = append(lines, fmt.Sprintf("left: %s runs by the entry %s, which is not mtool's", r.Arch, r.Entry))
		default:
			lines = append(lines, fmt.Sprintf("unchanged: there is no entry of %s", r.Arch))
		}
	}
	return lines
}
