package platform

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// podman returns the rows that containers/image would take, on which podman, CRI-O, Buildah and Skopeo are built: those
// spelled exactly as the node is, or as one of the variants that it runs, or without one. A row without a platform is
// taken where no other fits, except in a Docker list, where it states an empty one. See
// https://github.com/containers/image/blob/v5.36.0/internal/pkg/platform/platform_matcher.go and
// https://github.com/containers/image/blob/v5.36.0/internal/manifest/oci_index.go
func (o Offer) podman(node v1.Platform) (fits []candidate) {
	variants := podmanVariants(node)
	for i, row := range o.Rows {
		c := candidate{row: i, zstd: row.Zstd && !o.Docker}
		switch p := row.Platform; {
		case p == nil && o.Docker:
			continue
		case p == nil:
			c.unstated, c.rank = true, unstatedRank
		case p.OS != node.OS || p.Architecture != node.Architecture:
			continue
		default:
			if c.rank = slices.Index(variants, p.Variant); c.rank < 0 {
				continue
			}
		}
		fits = append(fits, c)
	}
	return fits
}

// podmanVariants returns the variants that a node looks for, best first.
func podmanVariants(node v1.Platform) []string {
	known := map[string][]string{"arm": {"v8", "v7", "v6", "v5"}, "arm64": {"v8"}}[node.Architecture]
	variant := node.Variant
	if node.Architecture == "arm64" && variant == "" {
		variant = "v8" // as in /proc/cpuinfo
	}
	switch i := slices.Index(known, variant); {
	case variant == "":
		return []string{""}
	case i >= 0:
		return append(slices.Clone(known[i:]), "")
	}
	return []string{variant, ""}
}
