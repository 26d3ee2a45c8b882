package print

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
)

type junitReport struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
	Out      string      `xml:"system-out,omitempty"` // warnings and notes
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	File    string     `xml:"file,attr,omitempty"`
	Line    int        `xml:"line,attr,omitempty"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit prints one document: a suite for each reference, in it a test for each image, and one for everything else that
// is wrong; warnings and notes are its output. What could not be read at all, as err says, is an error in a suite of
// its own.
func JUnit(w io.Writer, seen []app.Inspection, err error) error {
	r := junitReport{Name: "mtool inspect"}
	for _, s := range seen {
		r.add(junitOf(s))
	}
	if lost := Unread(err); len(lost) > 0 {
		suite := junitSuite{Name: "references"}
		for _, e := range lost {
			text := xmlText(e.Error())
			c := junitCase{
				Name: xmlText(e.Ref.Name()), Class: suite.Name,
				Error: &junitText{Message: firstLine(text), Type: "unread", Text: text},
			}
			if len(e.Uses) > 0 {
				c.File, c.Line = e.Uses[0].File, e.Uses[0].Line
			}
			suite.Cases = append(suite.Cases, c)
		}
		r.add(suite)
	}
	Text(w, xml.Header)
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(r); err != nil {
		return err
	}
	printf(w, "\n")
	return nil
}

func (r *junitReport) add(s junitSuite) {
	for _, c := range s.Cases {
		s.Tests++
		if c.Failure != nil {
			s.Failures++
		}
		if c.Error != nil {
			s.Errors++
		}
	}
	r.Suites = append(r.Suites, s)
	r.Tests, r.Failures, r.Errors = r.Tests+s.Tests, r.Failures+s.Failures, r.Errors+s.Errors
}

func junitOf(s app.Inspection) junitSuite {
	suite := junitSuite{Name: xmlText(s.Name())}
	findings := deep.Summary(s.Findings)
	failed := map[v1.Hash]bool{} // images with a failure, which names their files too
	for i, img := range s.Report.Images {
		c := junitCase{Name: xmlText(dash(platformOf(img))), Class: suite.Name}
		if i < len(findings) {
			c.File, c.Line = findings[i].File, findings[i].Line
			c.Failure = failure(findings[i], about(findings[len(s.Report.Images):], img.Descriptor.Digest, findings[i].Platform))
			failed[img.Descriptor.Digest] = failed[img.Descriptor.Digest] || c.Failure != nil
		}
		suite.Cases = append(suite.Cases, c)
	}
	var notes []string
	for _, f := range findings[min(len(s.Report.Images), len(findings)):] {
		switch {
		case f.Fails() && (f.Path == "" || !failed[f.Digest]):
			suite.Cases = append(suite.Cases, junitCase{
				Name: xmlText(firstLine(f.Message)), Class: suite.Name, File: f.File, Line: f.Line, Failure: failure(f, nil),
			})
		case !f.Fails() && app.Worth(f):
			notes = append(notes, xmlText(string(f.State)+": "+placed(f)))
		}
	}
	suite.Out = strings.Join(notes, "\n")
	return suite
}

// about are the failing findings about files of an image.
func about(all []inspect.Finding, image v1.Hash, platform string) (some []inspect.Finding) {
	for _, f := range all {
		if f.Fails() && f.Path != "" && f.Digest == image && f.Platform == platform {
			some = append(some, f)
		}
	}
	return some
}

func failure(f inspect.Finding, details []inspect.Finding) *junitText {
	if !f.Fails() {
		return nil
	}
	lines := []string{placed(f)}
	for _, d := range details {
		lines = append(lines, ruled(d))
	}
	return &junitText{Message: xmlText(f.Message), Type: string(f.State), Text: xmlText(strings.Join(lines, "\n"))}
}

// Unread are the errors about references that could not be read, out of those that Inspect joined.
func Unread(err error) (lost []app.UnreadError) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range joined.Unwrap() {
		if unread, ok := errors.AsType[app.UnreadError](e); ok {
			lost = append(lost, unread)
		}
	}
	return lost
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// xmlText drops what XML can't hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' {
			return '?'
		}
		return r
	}, s)
}
