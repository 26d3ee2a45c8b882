package inspect_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, p := range append(append(entryPairs(), listPairs()...), requirePairs()...) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			findings := inspect.Check(read(t, p.liar), p.options)
			if !has(findings, p.state, p.message) {
				t.Errorf("no %s that contains %q:\n%s", p.state, p.message, show(findings))
			}
			if failed := inspect.Failed(findings) != nil; failed != (p.state != inspect.Note) {
				t.Errorf("failed is %v:\n%s", failed, show(findings))
			}
			honest := inspect.Check(read(t, p.twin), p.options)
			if err := inspect.Failed(honest); err != nil {
				t.Errorf("the twin fails: %v", err)
			}
			if p.state == inspect.Note && has(honest, inspect.Note, p.message) {
				t.Errorf("the twin has the note too:\n%s", show(honest))
			}
			if p.state != inspect.Note {
				return
			}
			inspect.Strictly(findings, inspect.Rules())
			inspect.Strictly(honest, inspect.Rules())
			if !has(findings, inspect.Mismatch, p.message) || inspect.Failed(honest) != nil {
				t.Errorf("strictly:\n%sthe twin:\n%s", show(findings), show(honest))
			}
		})
	}
}

// strictly returns what Check finds with --strict.
func strictly(r inspect.Report) []inspect.Finding {
	findings := inspect.Check(r, inspect.CheckOptions{})
	inspect.Strictly(findings, inspect.Rules())
	return findings
}

func has(findings []inspect.Finding, s inspect.State, message string) bool {
	for _, f := range findings {
		if f.State == s && strings.Contains(f.Message, message) {
			return true
		}
	}
	return false
}

func show(findings []inspect.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "  %s\t%s\tclaim %q, evidence %q: %s\n", f.State, f.Platform, f.Claim, f.Evidence, f.Message)
	}
	return b.String()
}

// There is one finding for each image, in the order of the list and before all others: tables rely on it.
func TestCheckOrder(t *testing.T) {
	t.Parallel()
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	r := read(t,
		object(entry(amd64), registrytest.Entry{Built: arm64, Missing: true}, entry(amd64), entry(image("linux/s390x"))))
	findings := inspect.Check(r, inspect.CheckOptions{})
	for n, want := range []inspect.State{
		inspect.ClaimsOK, inspect.Mismatch, inspect.ClaimsOK, inspect.ClaimsOK,
		inspect.Mismatch,
	} {
		if len(findings) <= n || findings[n].State != want {
			t.Fatalf("finding %d is not %s:\n%s", n, want, show(findings))
		}
	}
	for n, i := range r.Images {
		if findings[n].Digest != i.Descriptor.Digest || findings[n].Platform != platform.Format(i.Claim()) {
			t.Errorf("finding %d is about %s %s", n, findings[n].Platform, findings[n].Digest)
		}
	}
	ok := findings[0]
	if ok.Claim != "linux/amd64 (list)" || ok.Evidence != "linux/amd64 (config)" {
		t.Errorf("claim %q, evidence %q", ok.Claim, ok.Evidence)
	}
}

// One manifest under two platforms shares its config and layers too; it is reported once.
func TestCheckSharedOnce(t *testing.T) {
	t.Parallel()
	amd64 := image("linux/amd64")
	shared := 0
	for _, f := range inspect.Check(read(t, object(entry(amd64), claimed(amd64, "linux/arm64"))), inspect.CheckOptions{}) {
		if strings.Contains(f.Message, " share ") {
			shared++
		}
	}
	if shared != 1 {
		t.Errorf("reported %d times", shared)
	}
}

// The message about a child that a layout lacks does not mention an HTTP status.
func TestCheckMissingInLayout(t *testing.T) {
	t.Parallel()
	o := object(registrytest.Entry{Built: image("linux/arm64"), Missing: true})
	o.Ref = registry.Ref{Transport: registry.TransportLayout, Path: "dir"}
	findings := inspect.Check(read(t, o), inspect.CheckOptions{})
	if !has(findings, inspect.Mismatch, "child manifest is missing") || has(findings, inspect.Mismatch, "404") {
		t.Error(show(findings))
	}
}

func TestCheckArtifacts(t *testing.T) {
	t.Parallel()
	amd64 := image("linux/amd64")
	layer := amd64.Order[0]
	blob := registrytest.Built{Manifest: registry.Manifest{
		MediaType: layer.MediaType, Digest: layer.Digest,
		Body: make([]byte, layer.Size),
	}}
	findings := inspect.Check(read(t, object(entry(blob))), inspect.CheckOptions{})
	if !has(findings, inspect.Note, "the list holds no image, only 1 artifact") || inspect.Failed(findings) != nil {
		t.Errorf("alone:\n%s", show(findings))
	}
	findings = inspect.Check(read(t, object(entry(blob))),
		inspect.CheckOptions{Require: []v1.Platform{plat("linux/arm64")}})
	if !has(findings, inspect.Mismatch, "missing linux/arm64") {
		t.Errorf("an artifact counts as an image:\n%s", show(findings))
	}
	if findings := inspect.Check(read(t, object(entry(amd64), entry(blob))), inspect.CheckOptions{}); len(findings) != 1 {
		t.Errorf("an artifact without a platform must not be a finding:\n%s", show(findings))
	}
}

// Members of a list are untrusted text: none may start a line or control a terminal.
func TestCheckPrintsOneLine(t *testing.T) {
	t.Parallel()
	evil := v1.Platform{OS: "linux\nlinux/arm64 (sha256:0): fine", Architecture: "\x1b[32marm64\r"}
	o := object(registrytest.Entry{Built: image("linux/amd64"), Claim: &evil})
	for _, f := range inspect.Check(read(t, o), inspect.CheckOptions{}) {
		if text := f.Platform + f.Claim + f.Evidence + f.Message; strings.ContainsAny(text, "\n\r\x1b") ||
			f.State != inspect.Mismatch {
			t.Errorf("%s: %q", f.State, text)
		}
	}
}
