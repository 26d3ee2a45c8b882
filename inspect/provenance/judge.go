package provenance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
)

// Judge compares provenance with the image that it is attached to. It is a mismatch when a statement can't be parsed,
// describes another image, or describes a build for other platforms than the image claims. So is a last stage that
// starts from an image of another platform, since BuildKit takes the claim from the request and the files from that
// image.
//
// These are notes: the build machine has another platform, since cross compilers and emulators make most images of
// foreign architectures; only images of other platforms went in, when provenance does not state whether those were in
// the last stage (mode=min); the image has no provenance.
func Judge(img inspect.Image, statements []Statement) []inspect.Finding {
	j := judge{img: img, claim: img.Claim()}
	if platform.IsUnknown(j.claim) {
		j.claim = img.Platform()
	}
	found := false
	for _, s := range statements {
		if KindOf(s.Statement.Predicate) == Provenance {
			found = true
			j.statement(s)
		}
	}
	if !found && img.Err == nil {
		j.note(RuleNone, "", "no provenance is attached to it")
	}
	return j.findings
}

// Unread returns findings for the statements that could not be read, for callers that want their content and no
// verdict.
func Unread(img inspect.Image, statements []Statement) []inspect.Finding {
	j := judge{img: img, claim: img.Platform()}
	for _, s := range statements {
		if s.Err != nil {
			j.unread(s, s.Err)
		}
	}
	return j.findings
}

type judge struct {
	img      inspect.Image
	claim    v1.Platform
	findings []inspect.Finding
}

func (j *judge) add(state inspect.State, evidence, message string, err error) {
	f := j.finding(evidence, message)
	f.State, f.Err = state, err
	j.findings = append(j.findings, f)
}

func (j *judge) note(rule, evidence, message string) {
	j.findings = append(j.findings, j.finding(evidence, message).Note(rule))
}

func (j *judge) finding(evidence, message string) inspect.Finding {
	name := platform.Format(j.claim)
	return inspect.Finding{
		Platform: name, Digest: j.img.Descriptor.Digest, Claim: name, Evidence: evidence,
		Message: name + ": " + message,
	}.Printable()
}

func (j *judge) unread(s Statement, err error) {
	what := Words(s.Statement.Predicate)
	j.add(inspect.StateOf(err), s.Blob.Digest.String(),
		fmt.Sprintf("reading its %s %s: %v", what, s.Blob.Digest, err), err)
}

func (j *judge) statement(s Statement) {
	b, err := Build{}, s.Err
	if err == nil {
		b, err = s.Build()
	}
	if err != nil {
		j.unread(s, err)
		return
	}
	if s.Type != s.Statement.Predicate {
		j.add(inspect.Mismatch, s.Type,
			fmt.Sprintf("its provenance is listed as %s but names itself %s", s.Statement.Predicate, s.Type), nil)
	}
	j.subjects(s)
	if len(b.For) > 0 && !slices.ContainsFunc(b.For, j.claimed) {
		words := strings.Join(platform.FormatAll(b.For), ", ")
		j.add(inspect.Mismatch, words+" (provenance)", "its provenance says that it was built for "+words, nil)
	}
	j.base(b)
	if on, err := platform.Parse(b.On); err == nil && !j.claimed(on) {
		j.note(RuleElsewhere, b.On+" (builder)", "built on "+b.On+", so cross-compiled or emulated")
	}
}

func (j *judge) base(b Build) {
	from := b.from()
	switch {
	case b.Base != nil && (j.claimed(b.Base.Platform) || j.older(b.Base.Platform)):
	case b.Base != nil:
		name := cmp.Or(b.Base.Name, "nothing")
		words := platform.Format(b.Base.Platform)
		j.add(inspect.Mismatch, words+" (provenance)",
			fmt.Sprintf("its provenance names a last stage for %s, from %s", words, name), nil)
	case !b.detailed && len(from) > 0 && !slices.ContainsFunc(from, j.claimed):
		words := strings.Join(platform.FormatAll(from), ", ")
		j.note(RuleMaterials, words+" (provenance)",
			"the images that went into it are all of "+words+": right only if it starts from none of them")
	}
}

// subjects checks that the statement names the image, and that a subject with a platform names the claimed one.
// BuildKit writes no subject for an image that it exports without a name: then only the row of the list states what the
// statement describes.
func (j *judge) subjects(s Statement) {
	digest := j.img.Descriptor.Digest
	about := func(o Subject) bool { return o.Digest[digest.Algorithm] == digest.Hex }
	if len(s.Subjects) > 0 && !slices.ContainsFunc(s.Subjects, about) {
		j.add(inspect.Mismatch, named(s.Subjects), "its provenance is about another image: "+named(s.Subjects), nil)
		return
	}
	for _, o := range s.Subjects {
		if p, ok := platformOf(o.Name); ok && about(o) && !j.claimed(p) {
			j.add(inspect.Mismatch, platform.Format(p)+" (provenance)", "its provenance is about "+o.Name, nil)
			return
		}
	}
}

// claimed reports whether p is the platform that the image claims. A variant is compared for 32-bit ARM only, where
// people ask for it; elsewhere BuildKit leaves it out of one or the other.
func (j *judge) claimed(p v1.Platform) bool {
	return p.OS == j.claim.OS && p.Architecture == j.claim.Architecture &&
		(p.Architecture != "arm" || p.Variant == j.claim.Variant)
}

// older reports whether p is a 32-bit ARM whose programs the claimed one runs: v6 code in an image for v7.
func (j *judge) older(p v1.Platform) bool {
	return p.OS == j.claim.OS && p.Architecture == "arm" && j.claim.Architecture == "arm" && p.Variant < j.claim.Variant
}

// named returns the first few subjects for people.
func named(subjects []Subject) string {
	const few = 3
	var names []string
	for _, s := range subjects[:min(len(subjects), few)] {
		names = append(names, fmt.Sprintf("%.100s@sha256:%.64s", s.Name, s.Digest["sha256"]))
	}
	return strings.Join(names, ", ")
}
