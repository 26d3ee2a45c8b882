package compose

import (
	"slices"
	"strings"
)

// Sorted is the list with its entries by platform instead of as given, those without one last. Rows of a published list
// keep their places.
func (l List) Sorted() List {
	sorted := slices.Clone(l.Entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int {
		if a.Artifact != b.Artifact {
			if a.Artifact {
				return 1
			}
			return -1
		}
		return strings.Compare(formatPlatform(a.Platform()), formatPlatform(b.Platform()))
	})
	return l.with(sorted)
}
