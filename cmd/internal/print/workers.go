package print

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"mtool/build"
	"mtool/inspect/platform"
)

type workerRow struct {
	Addr      string   `json:"address"`
	For       string   `json:"platform,omitempty"` // the only one it is to build
	Reachable bool     `json:"reachable"`
	Version   string   `json:"version,omitempty"`
	Native    []string `json:"native"`
	Emulated  []string `json:"emulated"`
	Guessed   []string `json:"guessed,omitempty"` // those of both that no probe could tell
	LatencyMS float64  `json:"latencyMilliseconds,omitempty"`
	Error     string   `json:"error,omitempty"`
}

// Workers prints what is seen of each worker as a table or as JSON (schema mtool.workers/v1).
func Workers(w io.Writer, output string, seen []build.WorkerInfo) error {
	rows := make([]workerRow, 0, len(seen))
	for _, s := range seen {
		rows = append(rows, workerRowOf(s))
	}
	if output == "json" {
		return writeJSON(w, struct {
			Schema string      `json:"schema"`
			Rows   []workerRow `json:"workers"`
		}{"mtool.workers/v1", rows})
	}
	t := newTable(w, nameColumn("WORKER"), stateColumn("STATE"), "VERSION", "LATENCY", textColumn("NATIVE"),
		textColumn("EMULATED"))
	for _, r := range rows {
		name, state, latency := r.Addr, "ok", fmt.Sprintf("%.1fms", r.LatencyMS)
		if r.For != "" {
			name = r.For + "=" + name
		}
		if !r.Reachable {
			state, latency = "failed", "-"
		}
		t.row(name, state, dash(r.Version), latency, dash(r.marked(r.Native)), dash(r.marked(r.Emulated)))
	}
	return t.flush()
}

// marked puts a question mark behind what is guessed.
func (r workerRow) marked(names []string) string {
	all := slices.Clone(names)
	for i, name := range all {
		if slices.Contains(r.Guessed, name) {
			all[i] += "?"
		}
	}
	return strings.Join(all, ",")
}

func workerRowOf(s build.WorkerInfo) workerRow {
	r := workerRow{
		Addr: s.Addr, Reachable: s.Err == nil, Version: s.Version, Native: platform.FormatAll(s.Native),
		Emulated: platform.FormatAll(s.Emulated), Guessed: platform.FormatAll(s.Guessed),
		LatencyMS: float64(s.Latency.Round(100*time.Microsecond)) / float64(time.Millisecond),
	}
	if s.Platform != nil {
		r.For = platform.Format(*s.Platform)
	}
	if s.Err != nil {
		r.Error = s.Err.Error()
	}
	return r
}

// AppArmorProfile prints a profile that leaves a program unconfined but for one thing that distributions restrict by
// default: it may make user namespaces. https://gitlab.com/apparmor/apparmor/-/wikis/unprivileged_userns_restriction
func AppArmorProfile(w io.Writer, program string) {
	printf(w, `abi <abi/4.0>,
include <tunables/global>

profile mtool "%s" flags=(unconfined) {
  userns,
  include if exists <local/mtool>
}
`, strings.ReplaceAll(program, `"`, ""))
}
