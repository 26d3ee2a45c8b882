package build

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
)

func TestRecordKeepsTheEnd(t *testing.T) {
	t.Parallel()
	r := newRecord(newStallTimeout(-1, nil))
	for i := range 5000 {
		r.add(&client.SolveStatus{Logs: []*client.VertexLog{{Vertex: "sha256:a", Data: fmt.Appendf(nil, "line %d\r\n", i)}}})
	}
	got := r.tail("sha256:a")
	if len(got) != logLines || got[0] != "line 4980" || got[logLines-1] != "line 4999" {
		t.Errorf("got %q", got)
	}
	if r.tail("sha256:b") != nil {
		t.Error("a step that printed nothing has lines")
	}
}

func TestFailedStep(t *testing.T) {
	t.Parallel()
	r := newRecord(newStallTimeout(-1, nil))
	r.add(&client.SolveStatus{Vertexes: []*client.Vertex{
		{Digest: "sha256:a", Name: "fine"},
		{Digest: "sha256:b", Name: "ended with the others", Error: "rpc error: context canceled"},
		{Digest: "sha256:c", Name: "guilty"},
	}})
	if v := r.failed(""); v != nil {
		t.Errorf("nothing failed yet, got %q", v.Name)
	}
	r.add(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:c", Name: "guilty", Error: "exit code: 1"}}})
	if v := r.failed(""); v == nil || v.Name != "guilty" {
		t.Errorf("got %v", v)
	}
	if v := r.failed("sha256:a"); v == nil || v.Name != "fine" {
		t.Errorf("the step that BuildKit names: got %v", v)
	}
}

func TestWrongBaseWarning(t *testing.T) {
	t.Parallel()
	r := newRecord(newStallTimeout(-1, nil))
	r.add(&client.SolveStatus{
		Warnings: []*client.VertexWarning{{Short: []byte("FromAsCasing: 'as' and 'FROM' keywords' casing do not match")}},
	})
	if err := r.wrongBase(); err != nil {
		t.Errorf("another warning: %v", err)
	}
	text := linter.RuleInvalidBaseImagePlatform.Format("base", "linux/arm64", "linux/amd64")
	r.add(&client.SolveStatus{Warnings: []*client.VertexWarning{{Short: []byte("InvalidBaseImagePlatform: " + text)}}})
	if err := r.wrongBase(); err == nil || !strings.Contains(err.Error(), "linux/amd64") {
		t.Errorf("got %v", err)
	}
}

func TestNamedStepsDiffer(t *testing.T) {
	t.Parallel()
	in := &client.SolveStatus{
		Vertexes: []*client.Vertex{{Digest: "sha256:a", Name: "step"}},
		Logs:     []*client.VertexLog{{Vertex: "sha256:a", Data: []byte("x")}},
		Statuses: []*client.VertexStatus{{Vertex: "sha256:a"}},
		Warnings: []*client.VertexWarning{{Vertex: "sha256:a"}},
	}
	one, two := named(in, "linux/amd64"), named(in, "linux/arm64")
	if one.Vertexes[0].Digest == two.Vertexes[0].Digest || one.Vertexes[0].Name != "[linux/amd64] step" {
		t.Errorf("got %v and %v", one.Vertexes[0], two.Vertexes[0])
	}
	d := one.Vertexes[0].Digest
	if one.Logs[0].Vertex != d || one.Statuses[0].Vertex != d || one.Warnings[0].Vertex != d ||
		!bytes.Equal(one.Logs[0].Data, []byte("x")) {
		t.Errorf("logs, status and warnings do not belong to the step: %+v", one)
	}
	if in.Vertexes[0].Name != "step" {
		t.Error("the status that came in was changed")
	}
}

func TestHidePasswords(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		"[1/1] ADD http://bob:secret@host:80/x /":             "[1/1] ADD http://bob:xxxxx@host:80/x /",
		`ADD ["https://a:b:c@d@host", "ssh://git:p@h/r" "/"]`: `ADD ["https://a:xxxxx@host", "ssh://git:xxxxx@h/r" "/"]`,
		"ADD http://host/a@b:c /":                             "ADD http://host/a@b:c /",
		"ADD ssh://git@host/a /":                              "ADD ssh://git@host/a /",
		"RUN make":                                            "RUN make",
		"FROM a://":                                           "FROM a://",
	} {
		if got := hidePasswords(step); got != want {
			t.Errorf("%q: %q, want %q", step, got, want)
		}
	}
}

// The error for a layer that the export can't fetch names the images that the layer may belong to.
func TestRecordImages(t *testing.T) {
	t.Parallel()
	r := newRecord(nil)
	for _, name := range []string{
		"[internal] load metadata for a.example/one", "[context other] load metadata for b.example/two",
		"[1/2] FROM a.example/one@sha256:00",
		"[context other] b.example/two", "[context here] load from client", "[2/2] RUN make", "exporting to oci image format",
	} {
		r.steps = append(r.steps, &client.Vertex{Name: name})
	}
	if got := r.images(); !slices.Equal(got, []string{`"a.example/one@sha256:00"`, `"b.example/two"`}) {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]bool{
		"failed to solve: failed to copy: read tcp 1->2: connection reset by peer":                       true,
		"failed to solve: short read: expected 3300 bytes but got 3299: unexpected EOF":                  true,
		`failed commit on ref "layer-x": unexpected commit digest sha256:00, expected sha256:01: failed`: true,
		"failed to solve: no space left on device":                                                       false,
	} {
		if got := fetchesLate(errors.New(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestTargetSignal(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]string{
		"qemu: uncaught target signal 11 (Segmentation fault) - core dumped\n": "11 (Segmentation fault)",
		"x\r\nqemu: uncaught target signal 4 (Illegal instruction)":            "4 (Illegal instruction)",
		"qemu: uncaught target signal 11 (Segm":                                "",
		"all is well":                                                          "",
	} {
		if got := targetSignal([]byte(log)); got != want {
			t.Errorf("%q: got %q, want %q", log, got, want)
		}
	}
}
