package inspect

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// CheckOptions says what is wanted beyond that every entry is what it claims to be. The zero value wants nothing more.
type CheckOptions struct {
	// Require are the platforms that must be served, as platform.Serve decides.
	Require []v1.Platform
	// Exact wants nothing beyond Require; without Require it has no effect.
	Exact bool
	// KeepSpelling notes configs that are misspelled under a right row, where a list is written that has the image as it is.
	// Otherwise they are mismatches.
	KeepSpelling bool
	// KeepRows notes misspelled rows too, where others of the list are edited.
	KeepRows bool
}

// Check compares what a report's entries claim with what was read. It is pure. The first findings are those of
// r.Images, one each and in that order: claims-ok, mismatch or unchecked. Behind them come those that concern the whole
// list: duplicates, entries that share what should differ, missing attestations, notes, and what Require and Exact want.
func Check(r Report, o CheckOptions) []Finding {
	c := checker{report: r, options: o}
	for _, i := range r.Images {
		c.add(c.image(i))
	}
	c.contents()
	c.details()
	if r.List != nil {
		c.duplicates()
		c.twins()
		c.sharedManifests()
		c.sharedConfigs()
		c.sharedLayers()
		c.sharedBases()
		c.sharedBaseDigests()
		c.sharedPrograms()
		c.nested()
		c.mediaTypes()
	}
	c.mixedParts()
	c.foreignBases()
	c.names()
	c.spelling()
	c.attachments()
	c.required()
	c.surplus()
	return c.findings
}

type checker struct {
	report   Report
	options  CheckOptions
	findings []Finding
}

// add takes care that no text of the list's author, a platform or a media type, moves the reader's cursor.
func (c *checker) add(f Finding) { c.findings = append(c.findings, f.Printable()) }

// whole is a finding about the list as such.
func (c *checker) whole(claim, evidence, message string) Finding {
	return Finding{State: Mismatch, Digest: c.report.Root.Digest, Claim: claim, Evidence: evidence, Message: message}
}
