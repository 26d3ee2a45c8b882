package inspect

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// CheckOptions are requirements beyond that every entry is what it claims to be. The zero value has none.
type CheckOptions struct {
	// Require are the platforms that must be served, as platform.Serve decides.
	Require []v1.Platform
	// Exact refuses platforms that are not in Require; without Require it has no effect.
	Exact bool
	// KeepSpelling makes notes of configs that are misspelled under a right row, for lists that are written with the
	// image as it is. Otherwise they are mismatches.
	KeepSpelling bool
	// KeepRows makes notes of misspelled rows too, for edits of other rows.
	KeepRows bool
}

// Check compares what a report's entries claim with what was read. It does no I/O. The first findings are those of
// r.Images, one each and in that order: claims-ok, mismatch or unchecked. After them come those about the whole list:
// duplicates, entries that share what should differ, missing attestations, notes, and what Require and Exact demand.
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
		c.missingOptional()
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

// add keeps text of the list's author, such as a platform or a media type, from moving the reader's cursor.
func (c *checker) add(f Finding) { c.findings = append(c.findings, f.Printable()) }

// whole returns a mismatch of the whole list.
func (c *checker) whole(claim, evidence, message string) Finding {
	return Finding{State: Mismatch, Digest: c.report.Root.Digest, Claim: claim, Evidence: evidence, Message: message}
}
