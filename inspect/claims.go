package inspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// image returns the one finding of an entry: the first thing that is wrong with it.
func (c *checker) image(i Image) Finding {
	claim := i.Claim()
	f := Finding{State: Mismatch, Platform: platform.Format(i.Platform()), Digest: i.Descriptor.Digest}
	if c.report.List == nil {
		return c.single(f, i)
	}
	if !platform.IsUnknown(claim) {
		f.Claim, f.Platform = describe(claim)+" (list)", platform.Format(claim)
	}
	if i.Err != nil {
		return c.unread(f, i)
	}
	f.Evidence = describe(i.Config) + " (config)"
	who := fmt.Sprintf("%s (%s)", f.Platform, Short(f.Digest))
	switch {
	case platform.IsUnknown(claim):
		f.Claim = "no platform (list)"
		f.Message = fmt.Sprintf("%s: the list names no platform for it, the config says %s", who, describe(i.Config))
	case platform.IsUnknown(i.Config):
		f.Evidence = "no platform (config)"
		f.Message = fmt.Sprintf("%s: the list says %s, the config names no platform", who, describe(claim))
	default:
		return c.compare(f, who, i)
	}
	return f
}

// compare compares the rows, the image's own first, with the config.
func (c *checker) compare(f Finding, who string, i Image) Finding {
	claim := i.Claim()
	f.Message = fmt.Sprintf("%s: the list says %s, the config says %s%s", who, describe(claim), describe(i.Config),
		lookedFor(claim, i.Config))
	oddRow, oddConfig := lookedFor(claim) != "" && !c.options.KeepRows, lookedFor(i.Config) != "" &&
		!c.options.KeepSpelling
	if !platform.Agrees(claim, i.Config) || oddRow || oddConfig {
		return f
	}
	for _, row := range i.Via {
		outer := claimOf(row)
		// The row of a nested list need not repeat every detail of its only image.
		agrees := platform.IsUnknown(outer) || platform.Satisfies(i.Platform(), outer) || platform.Agrees(outer, i.Config)
		if agrees && lookedFor(outer) == "" {
			continue
		}
		f.Claim = describe(outer) + " (row of the nested list)"
		f.Message = fmt.Sprintf("%s: the row of the nested list %s says %s, the config says %s%s",
			who, Short(row.Digest), describe(outer), describe(i.Config), lookedFor(outer))
		return f
	}
	if err := platform.Validate(claim); err != nil && !platform.Equal(claim, i.Config) {
		f.Err, f.Message = err, fmt.Sprintf("%s: the config says %s, the list says an %v", who, describe(i.Config),
			oneLine(err))
		return f
	}
	f.State = ClaimsOK
	return f
}

// lookedFor returns a suffix for messages with the platforms that runtimes look for instead of misspelled ones. A
// config counts too: containerd reads it for a row without a platform, and docker warns of it.
func lookedFor(all ...v1.Platform) string {
	for _, p := range all {
		if right, is := platform.Misspelled(p); is {
			return "; runtimes look for " + describe(right)
		}
	}
	return ""
}

// unread returns the finding of an entry whose manifest or config could not be read.
func (c *checker) unread(f Finding, i Image) Finding {
	f.State, f.Err, f.Message = StateOf(i.Err), i.Err, oneLine(i.Err)
	if f.State == Unchecked {
		f.Evidence, f.Message = "not read", "not checked: "+f.Message
		return f
	}
	what := "child manifest"
	if i.ConfigOf.Digest != (v1.Hash{}) {
		what = "config " + Short(i.ConfigOf.Digest)
	}
	f.Evidence = what + " is not what its descriptor says"
	if i.isArtifact() {
		f.Evidence = "an artifact"
		f.Message = fmt.Sprintf("%s (%s): %s", f.Platform, Short(f.Digest), f.Message)
	}
	if errors.Is(i.Err, registry.ErrNotFound) {
		f.Evidence = what + " is missing"
		f.Message = fmt.Sprintf("%s (%s): %s is missing%s", f.Platform, Short(f.Digest), what, c.status())
		if c.report.Ref.Transport == registry.TransportDraft { // its entries are somewhere else
			f.Message += ": " + oneLine(i.Err)
		}
	}
	return f
}

// status returns how the place reports that something is missing.
func (c *checker) status() string {
	if c.report.Ref.Transport == registry.TransportRegistry {
		return " (404): deleted from the registry, or never pushed"
	}
	return ""
}

// single returns the finding of an image outside a list, which has only its config to check.
func (c *checker) single(f Finding, i Image) Finding {
	who := fmt.Sprintf("%s (%s)", f.Platform, Short(f.Digest))
	switch {
	case i.Err != nil && StateOf(i.Err) == Unchecked:
		f.State, f.Err, f.Evidence, f.Message = Unchecked, i.Err, "not read", "not checked: "+oneLine(i.Err)
	case i.Err != nil:
		f.Err, f.Evidence, f.Message = i.Err, "the config can't be read", oneLine(i.Err)
	case platform.IsUnknown(i.Config):
		f.Evidence = "no platform (config)"
		f.Message = fmt.Sprintf("%s: a single image whose config names no platform", who)
	default:
		f.Claim, f.Evidence = "a single image", describe(i.Config)+" (config)"
		f.Message = fmt.Sprintf("%s: a single image, the config says %s%s", who, describe(i.Config), lookedFor(i.Config))
		if lookedFor(i.Config) == "" || c.options.KeepSpelling {
			f.State = ClaimsOK
		}
	}
	return f
}

// describe formats a platform with its os.features, without which two different ones could look alike.
func describe(p v1.Platform) string {
	if platform.IsUnknown(p) {
		return "nothing"
	}
	if p.Architecture == "" {
		return p.OS + " (any architecture)"
	}
	if len(p.OSFeatures) == 0 {
		return platform.Format(p)
	}
	features := slices.Sorted(slices.Values(p.OSFeatures))
	return fmt.Sprintf("%s [%s]", platform.Format(p), strings.Join(features, " "))
}
