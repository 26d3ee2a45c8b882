package print

import (
	"bytes"
	"encoding/json"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry"
)

// What is printed is valid by SARIF's own schema, with or without findings.
func TestSARIF(t *testing.T) {
	t.Parallel()
	ref := registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
	layer := v1.Hash{Algorithm: "sha256", Hex: "ab"}
	findings := []inspect.Finding{
		{State: inspect.BinariesOK, Platform: "linux/amd64", Message: "fine"},
		{State: inspect.Mismatch, Platform: "linux/arm64", Message: "an entry"},
		{State: inspect.Mismatch, Platform: "linux/arm64", Message: "a file", Path: "opt/a b%.so", Layer: layer, Role: "shared object"},
		{State: inspect.Unchecked, Platform: "linux/arm64", Message: "a layer", Layer: layer},
		{State: inspect.Note, Message: "a note"},
		{State: inspect.Note, Message: "nothing", Rule: deep.NotStated, Path: "app"},
	}
	for name, c := range map[string]struct {
		findings []inspect.Finding
		want     []string
	}{
		"none": {nil, nil}, "all": {findings, []string{"error entry", "error binary", "error layer", "note entry"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := SARIF(&b, []flow.Inspection{{Report: inspect.Report{Ref: ref}, Findings: c.findings}}, nil); err != nil {
				t.Fatal(err)
			}
			var report sarif.Report
			if err := json.Unmarshal(b.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
			if err := report.Validate(); err != nil {
				t.Errorf("it is not valid: %v\n%s", err, &b)
			}
			var got []string
			for _, r := range report.Runs[0].Results {
				got = append(got, r.Level+" "+*r.RuleID)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}
