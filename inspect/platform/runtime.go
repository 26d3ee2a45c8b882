package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Runtime is a program that takes one row of a list for the node that it runs on.
type Runtime string

// The runtimes. Docker uses containerd's library, CRI-O podman's.
const (
	Docker     Runtime = "docker"
	Containerd Runtime = "containerd"
	Podman     Runtime = "podman"
	CRIO       Runtime = "crio"
)

// Runtimes returns all runtimes in the order in which they are shown.
func Runtimes() []Runtime { return []Runtime{Docker, Containerd, Podman, CRIO} }

// Row is what a runtime looks at in a row of a list.
type Row struct {
	Platform *v1.Platform // as it is spelled; nil where the row states none
	Config   v1.Platform  // of the image's config, which containerd reads where the row states nothing
	Zstd     bool         // the row states that its image is compressed with zstd
}

// Offer is a list as runtimes see it: its rows, in their order.
type Offer struct {
	Rows   []Row
	Docker bool // a Docker manifest list, not an OCI index
}

// Choice is the row that a runtime takes, by its index, and why. It is -1 when there is none for the node.
type Choice struct {
	Row int
	Why string
}

// Choose returns the row that r takes for a node. A node without a variant gets the one that runtimes detect there:
// v8 for arm64, v7 for arm. Its os.version and os.features count where the runtime looks at them.
func (o Offer) Choose(r Runtime, node v1.Platform) Choice {
	node = Normalize(node)
	var fits []candidate
	if r == Podman || r == CRIO {
		fits = o.podman(node)
	} else {
		fits = o.containerd(node)
	}
	if len(fits) == 0 {
		return Choice{-1, "no row is for " + Format(node) + " or for what it runs too"}
	}
	best := slices.MinFunc(fits, candidate.compare)
	if best.unstated && r != Podman && r != CRIO && !newContainerdNode(node).runs(o.Rows[best.row].Config) {
		return Choice{
			-1,
			"no row fits, and the config of the first without a platform says " + Format(o.Rows[best.row].Config),
		}
	}
	return Choice{best.row, o.why(best, fits, node)}
}

// why explains what decided for best among all that fit.
func (o Offer) why(best candidate, fits []candidate, node v1.Platform) string {
	var why string
	switch p := o.Rows[best.row].Platform; {
	case best.unstated:
		why = "no row fits, and this one states no platform"
	case Equal(v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant},
		v1.Platform{OS: node.OS, Architecture: node.Architecture, Variant: node.Variant}):
		why = "the same platform"
	default:
		why = fmt.Sprintf("%s runs %s too", Format(node), Format(*p))
	}
	near := slices.DeleteFunc(slices.Clone(fits), func(c candidate) bool { return c.rank != best.rank })
	alike := slices.DeleteFunc(slices.Clone(near), func(c candidate) bool { return c.compare(best) != 0 })
	switch {
	case len(alike) > 1:
		why += fmt.Sprintf(", the first of %d such rows", len(alike))
	case len(near) == 1 && len(fits) > 1:
		why += fmt.Sprintf(", the nearest of %d rows that fit", len(fits))
	case len(near) > 1 && best.zstd:
		why += ", zstd before gzip"
	case len(near) > 1 && best.version != "":
		why += fmt.Sprintf(", the latest os.version of %d that fit", len(near))
	case len(near) > 1:
		why += fmt.Sprintf(", the most os.features of %d rows", len(near))
	}
	return why
}

// candidate is a row that a runtime would take if there were no better one. Fields that the runtime ignores are zero.
type candidate struct {
	row      int
	rank     int  // 0 is the node's own platform, then what it runs too
	unstated bool // the row states no platform; it ranks last
	features int  // the number of os.features; more is better
	version  string
	zstd     bool
}

// unstatedRank is after all others.
const unstatedRank = 1 << 20

// compare returns a negative number when c is better than d, and 0 when only their order in the list decides.
func (c candidate) compare(d candidate) int {
	zstd := 0
	if c.zstd != d.zstd {
		zstd = 1
		if c.zstd {
			zstd = -1
		}
	}
	return cmp.Or(c.rank-d.rank, d.features-c.features, strings.Compare(d.version, c.version), zstd)
}
