package inspect

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect/platform"
)

// contents reports a list or an artifact with nothing that could run.
func (c *checker) contents() {
	r, attestations := c.report, c.report.attestations()
	switch {
	case len(r.Images) > 0:
	case r.List == nil:
		c.singleArtifact()
	case len(r.Others) == 0:
		c.add(c.whole("a list", "no entries", "the list is empty"))
	case attestations == len(r.Others):
		c.add(c.whole("a list of images", Count(attestations, "attestation")+", no image",
			fmt.Sprintf("the list holds no image, only %s", Count(attestations, "attestation"))))
	default:
		artifacts := Count(len(r.Others)-attestations, "artifact")
		c.add(c.whole("", artifacts, fmt.Sprintf("the list holds no image, only %s: no program was checked", artifacts)).
			Note(RuleNoImage))
	}
}

// nested notes lists within the list: containerd follows them, many other clients do not.
func (c *checker) nested() {
	var order []v1.Hash
	held := map[v1.Hash]int{}
	see := func(digests []v1.Hash, images int) {
		for _, d := range digests {
			if _, seen := held[d]; !seen {
				order = append(order, d)
			}
			held[d] += images
		}
	}
	for _, i := range c.report.Images {
		see(i.Nested, 1)
		for _, a := range slices.Concat(i.Attestations, i.Artifacts) {
			see(a.Nested, 0)
		}
	}
	for _, o := range c.report.Others {
		see(o.Nested, 0)
	}
	for _, d := range order {
		evidence := Count(held[d], "image") + " in a nested list"
		c.add(Finding{
			Digest: d, Claim: "a list of images", Evidence: evidence,
			Message: fmt.Sprintf("the list holds another list, %s with %s: many clients don't look into it",
				Short(d), Count(held[d], "image")),
		}.Note(RuleNestedList))
	}
}

// MissingAnnotation names the optional platforms that a list was made without: "linux/riscv64,linux/s390x".
const MissingAnnotation = "mtool.missing"

// missingOptional notes the optional platforms that the list was made without.
func (c *checker) missingOptional() {
	if missing := c.report.List.Annotations[MissingAnnotation]; missing != "" {
		c.add(c.whole("optional "+missing, "no entry", fmt.Sprintf("the list was made without %s, which was optional",
			strings.ReplaceAll(missing, ",", ", "))).Note(RuleMissingOptional))
	}
}

// mediaTypes notes a mixture that Docker's own tools refuse. OCI lists may hold Docker images.
func (c *checker) mediaTypes() {
	n := 0
	for _, i := range c.report.Images {
		if i.Descriptor.MediaType == types.OCIManifestSchema1 {
			n++
		}
	}
	if c.report.Root.MediaType != types.DockerManifestList || n == 0 {
		return
	}
	c.add(c.whole("a Docker list", Count(n, "OCI image"),
		fmt.Sprintf("the list is of Docker's type but holds %s: some clients refuse the mixture",
			Count(n, "OCI image"))).Note(RuleMixedTypes))
}

// mixedParts notes images whose manifest is of one family of media types and whose config or layers are of the other.
func (c *checker) mixedParts() {
	for _, i := range c.report.Images {
		for _, part := range append(slices.Clip(i.Layers), i.ConfigOf) {
			own, its := family(i.Manifest.MediaType), family(part.MediaType)
			if own == "" || its == "" || own == its {
				continue
			}
			who := platform.Format(i.Platform())
			c.add(Finding{
				Platform: who, Digest: i.Descriptor.Digest, Claim: string(i.Manifest.MediaType), Evidence: string(part.MediaType),
				Message: fmt.Sprintf(
					"%s (%s): the manifest has the media type %s, but %s, which it names, has %s: some clients refuse the mixture",
					who, Short(i.Descriptor.Digest), i.Manifest.MediaType, Short(part.Digest), part.MediaType),
			}.Note(RuleMixedParts))
			break // one note an image
		}
	}
}

// family returns the prefix of OCI's or Docker's media types; "" for other types.
func family(t types.MediaType) string {
	for _, prefix := range []string{"application/vnd.oci.", "application/vnd.docker."} {
		if strings.HasPrefix(string(t), prefix) {
			return prefix
		}
	}
	return ""
}

// names notes unknown platforms on which list and config agree.
func (c *checker) names() {
	for _, i := range c.report.Images {
		p := i.Claim()
		if err := platform.Validate(p); err != nil && !platform.IsUnknown(p) && platform.Equal(p, i.Config) {
			c.add(Finding{
				Platform: platform.Format(p), Digest: i.Descriptor.Digest, Claim: describe(p), Evidence: "not a known platform",
				Message: oneLine(err), Err: err,
			}.Note(RuleUnknownPlatform))
		}
	}
}

// spelling notes misspellings that are kept.
func (c *checker) spelling() {
	if !c.options.KeepSpelling {
		return
	}
	for _, i := range c.report.Images {
		claim := i.Claim()
		oddRow := c.report.List != nil && lookedFor(claim) != ""
		switch {
		case oddRow && c.options.KeepRows && platform.Agrees(claim, i.Config):
			c.misspelled(i, "row", claim)
		case !oddRow && lookedFor(i.Config) != "" && platform.Agrees(claim, i.Config):
			c.misspelled(i, "config", i.Config)
		}
	}
}

func (c *checker) misspelled(i Image, where string, said v1.Platform) {
	p := platform.Format(i.Claim())
	c.add(Finding{
		Platform: p, Digest: i.Descriptor.Digest, Claim: describe(i.Claim()), Evidence: describe(said) + " (" + where + ")",
		Message: fmt.Sprintf("%s (%s): its %s still says %s%s", p, Short(i.Descriptor.Digest), where, describe(said),
			lookedFor(said)),
	}.Note(RuleSpelling))
}

// attachments reports missing attestations, and notes those without an image and artifacts with a platform.
func (c *checker) attachments() {
	for _, i := range c.report.Images {
		for _, a := range i.Attestations {
			c.attachment(a, "attestation", platform.Format(i.Platform()))
		}
		for _, a := range i.Artifacts {
			c.attachment(a, "artifact", platform.Format(i.Platform()))
			c.stale(a, i)
		}
	}
	for _, o := range c.report.Others {
		if image, is := AttestationOf(o.Descriptor); is {
			c.attachment(o, "attestation", "")
			c.orphan(o, image)
			continue
		}
		c.attachment(o, "artifact", "")
		c.artifact(o)
	}
}

func (c *checker) attachment(a Attachment, kind, of string) {
	if a.Err == nil {
		return
	}
	f := c.unread(Finding{Digest: a.Descriptor.Digest, Platform: of}, Image{Err: a.Err})
	f.Claim = kind + " (list)"
	if f.Evidence == "child manifest is missing" {
		f.Evidence = kind + " is missing"
		f.Message = fmt.Sprintf("the %s %s is missing%s", kind, Short(f.Digest), c.status())
		if of != "" {
			f.Message = fmt.Sprintf("%s: its %s %s is missing%s", of, kind, Short(f.Digest), c.status())
		}
	}
	c.add(f)
}

func (c *checker) orphan(a Attachment, image v1.Hash) {
	f := Finding{
		Digest: a.Descriptor.Digest, Claim: "an attestation of " + Short(image), Evidence: "no such entry",
		Message: fmt.Sprintf("the attestation %s is about %s, which is not in the list", Short(a.Descriptor.Digest),
			Short(image)),
	}
	if image == (v1.Hash{}) {
		f.Claim = "an attestation"
		f.Message = fmt.Sprintf("the attestation %s does not say which image it is about", Short(a.Descriptor.Digest))
	}
	c.add(f.Note(RuleOrphan))
}

// stale notes an artifact that describes another image than the one that it belongs to.
func (c *checker) stale(a Attachment, i Image) {
	if a.About == (v1.Hash{}) || a.About == i.Descriptor.Digest || a.Err != nil {
		return
	}
	c.add(Finding{
		Platform: platform.Format(i.Platform()), Digest: a.Descriptor.Digest,
		Claim: "an artifact of " + Short(a.About), Evidence: "no such entry",
		Message: fmt.Sprintf("%s: the artifact %s is about %s, which is not in the list",
			platform.Format(i.Platform()), Short(a.Descriptor.Digest), Short(a.About)),
	}.Note(RuleStaleArtifact))
}
