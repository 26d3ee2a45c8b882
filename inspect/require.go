package inspect

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// Missing returns only what Check finds about required platforms: a finding for each that is missing, and a note for
// each whose nodes find another entry.
func Missing(r Report, o CheckOptions) []Finding {
	c := checker{report: r, options: o}
	c.required()
	return c.findings
}

// Surplus returns only what Check finds with CheckOptions.Exact: the platforms that are present and not required.
func Surplus(r Report, required []v1.Platform) []Finding {
	c := checker{report: r, options: CheckOptions{Require: required, Exact: true}}
	c.surplus()
	return c.findings
}

// Serve returns which images serve a platform, by their index in r.Images; see platform.Serve. Images count by what
// they claim: one that lies, or could not be read, has failed already.
func (r Report) Serve(want v1.Platform, exact bool) platform.Serving {
	return platform.Serve(r.claims(), want, exact)
}

// claims returns the platforms under which the images are found; zero for an artifact.
func (r Report) claims() []v1.Platform {
	all := make([]v1.Platform, len(r.Images))
	for n, i := range r.Images {
		if !i.isArtifact() {
			all[n] = i.Claim()
		}
	}
	return all
}

// required reports the platforms that are not served.
func (c *checker) required() {
	for _, want := range c.options.Require {
		s := c.report.Serve(want, c.options.Exact)
		switch {
		case s.Fallback:
			c.fallback(want, c.report.Images[s.Rows[0]])
		case len(s.Rows) == 0 && !c.report.servesArtifact(want):
			c.missing(want)
		}
	}
}

func (c *checker) missing(want v1.Platform) {
	f := Finding{
		State: Mismatch, Platform: platform.Format(want), Digest: c.report.Root.Digest,
		Claim: describe(want) + " (required)", Evidence: c.has(),
		Message: fmt.Sprintf("missing %s; %s", describe(want), c.has()),
	}
	for _, p := range c.report.claims() {
		if lookedFor(p) != "" && platform.Satisfies(p, want) {
			f.Message += lookedFor(p)
			break
		}
	}
	if err := c.unseen(); err != nil {
		f.State, f.Err = Unchecked, err
		f.Message = fmt.Sprintf("not checked: whether %s is there: %s", describe(want), oneLine(err))
	}
	c.add(f)
}

// fallback notes that nodes of a platform take the entry of another one.
func (c *checker) fallback(want v1.Platform, i Image) {
	f := Finding{
		Platform: platform.Format(want), Digest: i.Descriptor.Digest,
		Claim: describe(want) + " (required)", Evidence: describe(i.Claim()) + " (list)",
		Message: fmt.Sprintf("%s has no entry of its own: its nodes take %s (%s)", describe(want), describe(i.Claim()),
			Short(i.Descriptor.Digest)),
	}
	if none := platform.Missed(c.report.claims(), want); none != "" {
		f.Message += "; " + none + " would take none"
	}
	c.add(f.Note(RuleOtherEntry))
}

// unseen returns why an entry that could have any platform was not read.
func (c *checker) unseen() error {
	for _, i := range c.report.Images {
		open := platform.IsUnknown(i.Claim()) && (c.report.List == nil || i.Descriptor.MediaType.IsIndex())
		if open && i.Err != nil && StateOf(i.Err) == Unchecked {
			return i.Err
		}
	}
	return nil
}

// has lists the platforms that are there instead.
func (c *checker) has() string {
	names := (group{images: c.report.Images}).platforms()
	for _, a := range c.report.Others {
		if p := a.Platform(); a.IsArtifact() && !platform.IsUnknown(p) {
			names = append(names, describe(p)+" (an artifact)")
		}
	}
	all := strings.Join(names, ", ")
	if all == "" {
		all = "no platform"
	}
	if n := c.report.attestations(); n > 0 {
		all += fmt.Sprintf(" (+%s)", Count(n, "attestation"))
	}
	if c.report.List == nil && len(c.report.Images) > 0 {
		return "a single image of " + all + ", not a list"
	}
	return "has " + all
}

// surplus reports the platforms that are there and not required.
func (c *checker) surplus() {
	if !c.options.Exact || len(c.options.Require) == 0 {
		return
	}
	var wanted []string
	asked := map[int]bool{}
	for _, want := range c.options.Require {
		if !slices.Contains(wanted, describe(want)) {
			wanted = append(wanted, describe(want))
		}
		for _, n := range c.report.Serve(want, true).Rows {
			asked[n] = true
		}
	}
	for n, i := range c.report.Images {
		if !asked[n] {
			c.extra(i.Claim(), i.Descriptor.Digest, strings.Join(wanted, ", "))
		}
	}
	for _, a := range c.report.Others {
		p := a.Platform()
		wants := func(want v1.Platform) bool { return platform.Satisfies(p, want) }
		if a.IsArtifact() && !slices.ContainsFunc(c.options.Require, wants) {
			c.extra(p, a.Descriptor.Digest, strings.Join(wanted, ", "))
		}
	}
}

// extra reports an entry of a platform that is not wanted.
func (c *checker) extra(p v1.Platform, digest v1.Hash, wanted string) {
	if platform.IsUnknown(p) {
		return
	}
	c.add(Finding{
		State: Mismatch, Platform: platform.Format(p), Digest: digest,
		Claim: "exactly " + wanted + " (required)", Evidence: describe(p) + " too",
		Message: fmt.Sprintf("%s is there but not required; wanted exactly %s", describe(p), wanted),
	})
}
