package compose

import (
	"slices"
	"strings"
)

// Sorted returns the list with entries sorted by platform, those without one last. Rows of a published list keep
// their positions.
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
