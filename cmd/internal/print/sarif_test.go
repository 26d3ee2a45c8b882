package print

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry"
)

// validSARIF decodes a document, which must have only members of the standard, and validates it by the schema.
func validSARIF(body []byte) (report sarif.Report, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		return report, err
	}
	noNulls(reflect.ValueOf(&report))
	for _, run := range report.Runs { // the standard's defaults, which the library does not fill in
		run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en-US", "en-US", []string{"\n"}
	}
	return report, report.Validate()
}

// noNulls makes every missing list an empty one. The library would write null, which the schema does not allow.
func noNulls(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			noNulls(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			noNulls(field)
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			noNulls(v.Index(i))
		}
	}
}

func TestSARIFLiars(t *testing.T) {
	t.Parallel()
	const run = `{"tool":{"driver":{"name":"mtool"}},"results":[%s]}`
	document := func(result string) []byte {
		return fmt.Appendf(nil, `{"$schema":"https://example.com","version":"2.1.0","runs":[`+run+`]}`, result)
	}
	if _, err := validSARIF(document(`{"message":{"text":"x"},"level":"error"}`)); err != nil {
		t.Errorf("the honest twin: %v", err)
	}
	for name, result := range map[string]string{
		"unknown level":  `{"message":{"text":"x"},"level":"fatal"}`,
		"unknown member": `{"message":{"text":"x"},"grade":"error"}`,
		"no message":     `{"level":"error"}`,
	} {
		if _, err := validSARIF(document(result)); err == nil {
			t.Errorf("%s passes: %s", name, result)
		}
	}
}

// The output is valid by SARIF's schema, with and without findings.
func TestSARIF(t *testing.T) {
	t.Parallel()
	ref := registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
	layer := v1.Hash{Algorithm: "sha256", Hex: "ab"}
	findings := []inspect.Finding{
		{State: inspect.BinariesOK, Platform: "linux/amd64", Message: "fine"},
		{State: inspect.Mismatch, Platform: "linux/arm64", Message: "an entry"},
		{
			State: inspect.Mismatch, Platform: "linux/arm64", Message: "a file", Path: "opt/a b%.so", Layer: layer,
			Role: "shared object",
		},
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
			if err := SARIF(&b, []app.Inspection{{Report: inspect.Report{Ref: ref}, Findings: c.findings}}, nil); err != nil {
				t.Fatal(err)
			}
			report, err := validSARIF(b.Bytes())
			if err != nil {
				t.Fatalf("invalid: %v\n%s", err, &b)
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
