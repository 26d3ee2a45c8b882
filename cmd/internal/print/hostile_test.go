package print

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/workload"
	"mtool/registry"
)

// hostile has characters with a meaning in each of the formats.
const hostile = "%0A::error::x\r\n::set-output name=a::b | `c` ]]> <b>&\"' \x00\x1b[31m \ufffe \xff,:"

// hostileInspection returns an inspection with hostile in place of every foreign text, and the error of a reference
// that can't be read.
func hostileInspection() (app.Inspection, error) {
	ref := registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
	digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}
	s := app.Inspection{Err: errors.New("wrong")}
	s.Report.Ref = ref
	s.Report.Root.Digest = digest
	s.Report.Images = []inspect.Image{
		{
			Descriptor: v1.Descriptor{Digest: digest, Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}},
			Err:        errors.New(hostile),
		},
	}
	s.Findings = []inspect.Finding{
		{State: inspect.Mismatch, Platform: "linux/arm64", Digest: digest, Message: hostile, File: "a,b:c.yaml", Line: 3},
		{
			State: inspect.Mismatch, Platform: "linux/arm64", Digest: digest, Message: "a file " + hostile,
			Path: "opt/" + hostile,
		},
		{State: inspect.Note, Message: "a note"},
	}
	s.Runs = []inspect.Tried{{
		Command: []string{"x"},
		Outcome: inspect.Outcome{Stdout: []byte(hostile + "\n\n" + hostile), Exit: 7, Took: 1},
	}}
	return s, errors.Join(app.UnreadError{
		Ref: ref, Uses: []workload.Use{{Place: workload.Place{File: "x.yaml", Line: 9}}},
		Cause: errors.New(hostile),
	})
}

// The report is valid XML, and its counts match its cases.
func TestJUnit(t *testing.T) {
	t.Parallel()
	s, err := hostileInspection()
	var b bytes.Buffer
	if err := JUnit(&b, []app.Inspection{s}, err); err != nil {
		t.Fatal(err)
	}
	var r junitReport
	d := xml.NewDecoder(&b)
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Tests != 2 || r.Failures != 1 || r.Errors != 1 || len(r.Suites) != 2 {
		t.Fatalf("got %+v", r)
	}
	for _, suite := range r.Suites {
		failures, errs := 0, 0
		for _, c := range suite.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errs++
			}
		}
		if suite.Tests != len(suite.Cases) || suite.Failures != failures || suite.Errors != errs {
			t.Errorf("%s has %d cases, %d failures and %d errors, but counts %+v", suite.Name, len(suite.Cases), failures,
				errs, suite)
		}
	}
	wrong, lost := r.Suites[0].Cases[0], r.Suites[1].Cases[0]
	if f := wrong.Failure; f == nil || f.Type != "mismatch" || !strings.Contains(f.Text, "a file ") ||
		!strings.Contains(f.Message, `]]> <b>&"'`) {
		t.Errorf("got %+v", f)
	}
	if wrong.File != "a,b:c.yaml" || wrong.Line != 3 || lost.File != "x.yaml" || lost.Line != 9 ||
		lost.Error.Type != "unread" {
		t.Errorf("got %+v and %+v", wrong, lost)
	}
}

// Every annotation is one line that begins as it should, and no text begins another one or a property.
func TestGitHub(t *testing.T) {
	t.Parallel()
	s, err := hostileInspection()
	var b bytes.Buffer
	if err := GitHub(&b, []app.Inspection{s}, err); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	begin := []string{
		"::error file=x.yaml,line=9,title=127.0.0.1%3A5000/demo%3Av1::%250A::error::x%0D%0A::set-output",
		"::error file=a%2Cb%3Ac.yaml,line=3,title=127.0.0.1%3A5000/demo%3Av1::%250A::error::x%0D%0A::set-output",
		"::error title=127.0.0.1%3A5000/demo%3Av1::a file %250A",
		"::notice title=127.0.0.1%3A5000/demo%3Av1::a note",
	}
	if len(lines) != len(begin) {
		t.Fatalf("got %d lines: %q", len(lines), lines)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, begin[i]) || strings.ContainsRune(line, '\r') {
			t.Errorf("got %q, want %q…", line, begin[i])
		}
	}
}

// No text ends its code span, its cell or its line.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	s, err := hostileInspection()
	var b bytes.Buffer
	if err := Markdown(&b, []app.Inspection{s}, err); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.Count(line, "`")%2 != 0 || strings.ContainsRune(line, '\r') {
			t.Errorf("a span does not end: %q", line)
		}
		outside := ""
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.Contains(strings.ReplaceAll(outside, "<br>", ""), "<") || strings.Contains(outside, "::") {
			t.Errorf("text of somebody else outside of a span: %q", line)
		}
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 6 {
			t.Errorf("%d bars, want 6: %q", strings.Count(line, "|"), line)
		}
	}
	if !strings.Contains(b.String(), "| linux/arm64 | natively | 7 |") {
		t.Errorf("the command's row is missing:\n%s", &b)
	}
}

// Of what somebody else wrote nothing is markup in the page.
func TestHTML(t *testing.T) {
	t.Parallel()
	s, err := hostileInspection()
	var b bytes.Buffer
	if err := HTML(&b, []app.Inspection{s}, err, "1.0", time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "<b>") || !strings.Contains(text, "&lt;b&gt;") ||
		strings.Contains(text, "<script") {
		t.Errorf("got %s", text)
	}
}
