package platform

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Serving is how a list serves a wanted platform.
type Serving struct {
	Rows []int // the rows, by index; none: it is not served
	// Fallback reports that no row is of the platform itself, and that its nodes take this row instead.
	Fallback bool
}

// Serve returns the rows that serve a platform, by their claims as spelled: those of the platform itself, with the
// wanted os.version and os.features, or the one of an older variant that containerd takes on such a node.
// Containerd's fallback to another architecture (386 on amd64, arm on arm64) does not count: podman has none, and
// such programs may not run. With exact there is no fallback.
func Serve(rows []v1.Platform, want v1.Platform, exact bool) Serving {
	var s Serving
	var offer Offer
	var index []int
	want = Normalize(want)
	for i, have := range rows {
		if IsUnknown(have) {
			continue
		}
		if _, odd := Misspelled(have); odd {
			continue
		}
		if Satisfies(have, want) {
			s.Rows = append(s.Rows, i)
		}
		if have.OS == want.OS && have.Architecture == want.Architecture {
			offer.Rows, index = append(offer.Rows, Row{Platform: &rows[i]}), append(index, i)
		}
	}
	if len(s.Rows) > 0 || exact {
		return s
	}
	if c := offer.Choose(Containerd, want); c.Row >= 0 {
		return Serving{Rows: []int{index[c.Row]}, Fallback: true}
	}
	return s
}

// Missed returns the runtimes that find nothing for a node among rows where others do, separated by commas; "" for
// none.
func Missed(rows []v1.Platform, node v1.Platform) string {
	var offer Offer
	for i := range rows {
		if !IsUnknown(rows[i]) {
			offer.Rows = append(offer.Rows, Row{Platform: &rows[i]})
		}
	}
	var none []string
	for _, r := range Runtimes() {
		if offer.Choose(r, node).Row < 0 {
			none = append(none, string(r))
		}
	}
	return strings.Join(none, ", ")
}
