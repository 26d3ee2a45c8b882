package inspect

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// Missing is what Check finds of required platforms alone: a finding for each that is not there.
func Missing(r Report, required []v1.Platform) []Finding {
	c := checker{report: r, options: CheckOptions{Require: required}}
	c.required()
	return c.findings
}

// Surplus is what Check finds alone of platforms that are there and are not among those required, with CheckOptions.Exact.
func Surplus(r Report, required []v1.Platform) []Finding {
	c := checker{report: r, options: CheckOptions{Require: required, Exact: true}}
	c.surplus()
	return c.findings
}

// required finds the platforms that are not there. An entry counts by what it claims: one that lies has failed already,
// and one that could not be read has, too.
func (c *checker) required() {
	for _, want := range c.options.Require {
		if slices.ContainsFunc(c.report.Images, func(i Image) bool { return satisfies(i, want) }) {
			continue
		}
		f := Finding{
			State: Mismatch, Platform: platform.Format(want), Digest: c.report.Root.Digest,
			Claim: describe(want) + " (required)", Evidence: c.has(),
			Message: fmt.Sprintf("missing %s; %s", describe(want), c.has()),
		}
		if err := c.unseen(); err != nil {
			f.State, f.Err = Unchecked, err
			f.Message = fmt.Sprintf("not checked: whether %s is there: %s", describe(want), oneLine(err))
		}
		c.add(f)
	}
}

func satisfies(i Image, want v1.Platform) bool {
	p := i.Claim()
	return !platform.IsUnknown(p) && !i.isArtifact() && platform.Satisfies(p, want)
}

// unseen is why an entry is unread that could be of any platform.
func (c *checker) unseen() error {
	for _, i := range c.report.Images {
		open := platform.IsUnknown(i.Claim()) && (c.report.List == nil || i.Descriptor.MediaType.IsIndex())
		if open && i.Err != nil && StateOf(i.Err) == Unchecked {
			return i.Err
		}
	}
	return nil
}

// has lists what is there instead.
func (c *checker) has() string {
	names := (group{images: c.report.Images}).platforms()
	all := strings.Join(names, ", ")
	if all == "" {
		all = "no platform"
	}
	if n := c.report.attestations(); n > 0 {
		all += fmt.Sprintf(" (+%s)", count(n, "attestation"))
	}
	if c.report.List == nil {
		return "a single image of " + all + ", not a list"
	}
	return "has " + all
}

// surplus finds what is there and was not asked for.
func (c *checker) surplus() {
	if !c.options.Exact || len(c.options.Require) == 0 {
		return
	}
	var wanted []string
	for _, want := range c.options.Require {
		wanted = append(wanted, describe(want))
	}
	for _, i := range c.report.Images {
		p := i.Claim()
		asked := slices.ContainsFunc(c.options.Require, func(want v1.Platform) bool { return satisfies(i, want) })
		if asked || platform.IsUnknown(p) {
			continue
		}
		c.add(Finding{
			State: Mismatch, Platform: platform.Format(p), Digest: i.Descriptor.Digest,
			Claim: "exactly " + strings.Join(wanted, ", ") + " (required)", Evidence: describe(p) + " too",
			Message: fmt.Sprintf("%s is there but not required; wanted exactly %s", describe(p), strings.Join(wanted, ", ")),
		})
	}
}
