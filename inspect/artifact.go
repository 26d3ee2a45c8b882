package inspect

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// wasm is the architecture of WebAssembly, whose runtimes take artifacts.
const wasm = "wasm"

// IsArtifact reports whether a is a manifest that is neither an image nor an attestation.
func (a Attachment) IsArtifact() bool {
	_, attests := AttestationOf(a.Descriptor)
	return !attests && !registry.PointsToBlob(a.Descriptor)
}

// Platform returns the platform that an artifact claims, as it is spelled: its row's or, if the row states none, its
// config's.
func (a Attachment) Platform() v1.Platform {
	if p := claimOf(a.Descriptor); !platform.IsUnknown(p) {
		return p
	}
	return platform.Spelled(a.Config)
}

// Size is the sum of an artifact's files, in bytes; for everything else, and what was not read, that of the entry.
func (a Attachment) Size() int64 {
	if a.Manifest.Body == nil || !a.IsArtifact() {
		return a.Descriptor.Size
	}
	var sum int64
	for _, b := range a.Blobs {
		if b.MediaType != emptyConfig {
			sum += b.Size
		}
	}
	return sum
}

// servesArtifact reports whether an artifact claims the platform.
func (r Report) servesArtifact(want v1.Platform) bool {
	return slices.ContainsFunc(r.Others, func(a Attachment) bool {
		p := a.Platform()
		return a.IsArtifact() && !platform.IsUnknown(p) && platform.Satisfies(p, want)
	})
}

// singleArtifact notes that there is no image under the name.
func (c *checker) singleArtifact() {
	message := "a single artifact, not an image: it has no platform to check"
	for _, a := range c.report.Others {
		if p := a.Platform(); !platform.IsUnknown(p) {
			message = fmt.Sprintf("a single artifact, not an image: its config says %s, no program was checked", describe(p))
		}
	}
	c.add(c.whole("", "an artifact", message).Note(RuleNoImage))
}

// hidesImage reports whether clients that look for an image find an artifact of platform p: the list has other images.
func (c *checker) hidesImage(p v1.Platform) bool {
	if platform.IsUnknown(p) || p.Architecture == wasm || !c.report.HasImage() {
		return false
	}
	return !slices.ContainsFunc(c.report.Images, func(i Image) bool {
		d := i.Descriptor.Platform
		return d != nil && p.Equals(*d)
	})
}

// artifact reports a row that does not describe its artifact, and notes that its platform is only claimed.
func (c *checker) artifact(a Attachment) {
	p, row := a.Platform(), claimOf(a.Descriptor)
	if c.report.List == nil || a.Err != nil {
		return
	}
	f := Finding{State: Mismatch, Digest: a.Descriptor.Digest}
	who := fmt.Sprintf("artifact (%s)", Short(f.Digest))
	if !platform.IsUnknown(p) {
		f.Platform = platform.Format(p)
		who = fmt.Sprintf("%s (%s)", f.Platform, Short(f.Digest))
	}
	stated := a.Descriptor.ArtifactType
	switch {
	case stated != "" && a.ArtifactType != "" && stated != a.ArtifactType:
		f.Claim, f.Evidence = stated+" (list)", a.ArtifactType+" (manifest)"
		f.Message = fmt.Sprintf("%s: the list says artifactType %s, the manifest %s", who, stated, a.ArtifactType)
	case platform.IsUnknown(p):
		return
	case c.hidesImage(row):
		f.Claim, f.Evidence = describe(row)+" (list)", "an artifact"
		f.Message = who + ": an artifact, not an image, in a list of images: clients take it for that of its platform"
	case platform.IsUnknown(row):
		f.Claim, f.Evidence = "no platform (list)", describe(a.Config)+" (config)"
		f.Message = who + ": an artifact, not an image; only its config names the platform, not the list"
		f = f.Note(RuleArtifactRow)
	case !platform.IsUnknown(a.Config) && !platform.Agrees(row, a.Config):
		f.Claim, f.Evidence = describe(row)+" (list)", describe(a.Config)+" (config)"
		f.Message = fmt.Sprintf("%s: the list says %s, the config of the artifact %s", who, describe(row), describe(a.Config))
	default:
		f.Claim, f.Evidence = describe(row)+" (list)", "an artifact"
		f.Message = who + ": an artifact, not an image; its platform is what the list says, no program was checked"
		f = f.Note(RuleArtifactRow)
	}
	c.add(f)
}
