package inspect

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// group holds images that have something in common, in the order of the list.
type group struct{ images []Image }

// groups groups images by key, in the order of the list; it leaves out those with the key "".
func groups(images []Image, key func(Image) string) []group {
	var all []group
	index := map[string]int{}
	for _, i := range images {
		k := key(i)
		if k == "" {
			continue
		}
		n, seen := index[k]
		if !seen {
			n, index[k] = len(all), len(all)
			all = append(all, group{})
		}
		all[n].images = append(all[n].images, i)
	}
	return all
}

// distinct returns the first image of each key.
func (g group) distinct(key func(Image) string) []Image {
	var first []Image
	for _, same := range groups(g.images, key) {
		first = append(first, same.images[0])
	}
	return first
}

// platforms returns the different claims of the group, for people. Entries without a claim have their own finding.
func (g group) platforms() []string {
	var names []string
	for _, i := range g.images {
		if p := i.Claim(); !platform.IsUnknown(p) && !slices.Contains(names, describe(p)) {
			names = append(names, describe(p))
		}
	}
	return names
}

func byManifest(i Image) string { return i.Descriptor.Digest.String() }

func byConfig(i Image) string {
	if i.ConfigOf.Digest == (v1.Hash{}) {
		return ""
	}
	return i.ConfigOf.Digest.String()
}

func byLayers(i Image) string {
	var digests []string
	for _, l := range i.Layers {
		digests = append(digests, l.Digest.String())
	}
	return strings.Join(digests, " ")
}

// Slot returns what clients choose a row by: its platform as it is spelled, with os.version and os.features, and its
// compression for clients that know the annotation. No client can tell rows of one slot apart. "" is a row without a
// platform.
func Slot(p v1.Platform, row v1.Descriptor) string {
	if platform.IsUnknown(p) {
		return ""
	}
	return describe(p) + " " + CompressionOf(row)
}

func bySlot(i Image) string { return Slot(i.Claim(), i.Descriptor) }

func byClaim(i Image) string {
	if platform.IsUnknown(i.Claim()) {
		return ""
	}
	return describe(i.Claim())
}

// CompressionOf returns the compression that a row states, in the annotations with which containers/image marks a
// second, differently compressed copy of an image; "" for most rows. See
// https://github.com/containers/image/blob/main/internal/manifest/oci_index.go
func CompressionOf(d v1.Descriptor) string {
	var found []string
	for k, v := range d.Annotations {
		if name, is := strings.CutPrefix(k, "io.github.containers.compression."); is {
			found = append(found, name+"="+v)
		}
	}
	slices.Sort(found)
	return strings.Join(found, ",")
}

// duplicates reports entries between which clients can't choose: they take the first, or the last.
func (c *checker) duplicates() {
	for _, g := range groups(c.report.Images, bySlot) {
		if len(g.images) < 2 {
			continue
		}
		var digests []string
		for _, i := range g.distinct(byManifest) {
			digests = append(digests, Short(i.Descriptor.Digest))
		}
		p := g.images[0].Claim()
		evidence := fmt.Sprintf("%d entries: %s", len(g.images), strings.Join(digests, ", "))
		if len(digests) == 1 {
			evidence = fmt.Sprintf("%s is listed %d times", digests[0], len(g.images))
		}
		c.add(Finding{
			State: Mismatch, Platform: platform.Format(p), Digest: g.images[1].Descriptor.Digest,
			Claim: describe(p) + " (list)", Evidence: evidence,
			Message: fmt.Sprintf("duplicate platform %s: %s", describe(p), evidence),
		})
	}
}

// twins reports copies of one platform that differ in more than their compression: what a node runs then depends on
// whether its client prefers zstd.
func (c *checker) twins() {
	for _, g := range groups(c.report.Images, byClaim) {
		if len(g.distinct(bySlot)) < 2 || len(g.distinct(byConfig)) < 2 {
			continue
		}
		what := "configs"
		if len(g.distinct(byDiffIDs)) > 1 {
			what = "layers"
		}
		var each []string
		for _, i := range g.distinct(byConfig) {
			each = append(each, Short(i.Descriptor.Digest))
		}
		p := g.images[0].Claim()
		evidence := fmt.Sprintf("different builds, with different %s: %s", what, strings.Join(each, ", "))
		c.add(Finding{
			State: Mismatch, Platform: platform.Format(p), Digest: g.images[1].Descriptor.Digest,
			Claim: "copies of " + describe(p) + " in different compressions (list)", Evidence: evidence,
			Message: fmt.Sprintf("the copies of %s in different compressions are %s", describe(p), evidence),
		})
	}
}

func byDiffIDs(i Image) string {
	var ids []string
	for _, id := range i.details().DiffIDs {
		ids = append(ids, id.String())
	}
	return strings.Join(ids, " ")
}

// sharedManifests reports one manifest under several platforms: it can be right for one of them only.
func (c *checker) sharedManifests() {
	for _, g := range groups(c.report.Images, byManifest) {
		c.share(g, "", "one manifest, "+Short(g.images[0].Descriptor.Digest)+": at most one of them is right")
	}
}

// sharedConfigs reports one config under several platforms, in different manifests.
func (c *checker) sharedConfigs() {
	for _, g := range groups(c.report.Images, byConfig) {
		g.images = g.distinct(byManifest)
		c.share(g, "", "one config, "+Short(g.images[0].ConfigOf.Digest)+": at most one of them is right")
	}
}

// sharedLayers reports equal files under several platforms. That may be right: an image can hold data only.
func (c *checker) sharedLayers() {
	for _, g := range groups(c.report.Images, byLayers) {
		g.images = (group{images: g.distinct(byManifest)}).distinct(byConfig)
		c.share(g, RuleSharedLayers, "all their layers: right only for images without programs")
	}
}

// sharedBases notes a lowest layer that different machines have in common, as when a base is pinned to one platform.
// Images that share everything are reported already. A layer is compared uncompressed.
func (c *checker) sharedBases() {
	reported := map[string]bool{}
	for _, g := range slices.Concat(groups(c.report.Images, byBase), groups(c.report.Images, byUnpackedBase)) {
		g.images = g.distinct(byLayers)
		names := g.platforms()
		all := strings.Join(names, ", ")
		if len(names) < 2 || len(g.distinct(byMachine)) < 2 || reported[all] {
			continue
		}
		reported[all] = true
		base := Short(g.images[0].Layers[0].Digest)
		c.add(Finding{
			Suspicion: true, Digest: g.images[0].Descriptor.Digest, Claim: all + " (list)",
			Evidence: "they share their lowest layer, " + base,
			Message: fmt.Sprintf(
				"%s share their lowest layer, %s: the base of one machine for all of them, unless it is only data", all, base),
		}.Note(RuleSharedBase))
	}
}

func byUnpackedBase(i Image) string {
	if diffIDs := i.details().DiffIDs; len(diffIDs) > 0 && len(diffIDs) == len(i.Layers) {
		return diffIDs[0].String()
	}
	return ""
}

func byBase(i Image) string {
	if len(i.Layers) == 0 {
		return ""
	}
	return i.Layers[0].Digest.String()
}

func byMachine(i Image) string { return i.Claim().OS + "/" + i.Claim().Architecture }

// share reports that the platforms of a group have something in common: as a note with a rule, as a mismatch without
// one.
func (c *checker) share(g group, rule, what string) {
	names := g.platforms()
	if len(names) < 2 {
		return
	}
	all := strings.Join(names, ", ")
	f := Finding{
		State: Mismatch, Digest: g.images[0].Descriptor.Digest, Claim: all + " (list)", Evidence: "they share " + what,
		Message: fmt.Sprintf("%s share %s", all, what),
	}
	if rule != "" {
		f = f.Note(rule)
	}
	c.add(f)
}
