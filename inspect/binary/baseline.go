package binary

import (
	"cmp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// unranked is the rank of a level that is not known.
const unranked = -1

// rank orders the levels of one machine: code runs on processors of its rank and above. A platform without a variant
// has the first level of its architecture, 32-bit ARM excepted, which is v7.
func rank(arch, level string) int {
	switch arch {
	case "amd64", "x32":
		return numbered(level, "v", 1, 4)
	case "arm", "armbe":
		return numbered(level, "v", 4, 9)
	case "arm64", "arm64be":
		return arm64Rank(level)
	case "ppc64", "ppc64le":
		return numbered(level, "power", 8, 20)
	case "riscv64":
		profile, ok := strings.CutSuffix(level, "u64")
		if !ok {
			return unranked
		}
		return numbered(profile, "rva", 20, 99)
	}
	return unranked
}

// numbered is the number behind a prefix, when it is one of those.
func numbered(level, prefix string, from, to int) int {
	digits, ok := strings.CutPrefix(level, prefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < from || n > to {
		return unranked
	}
	return n
}

// arm64Rank: v9.0 is v8.5 with more, and so on. https://go.dev/wiki/MinimumRequirements#arm64
func arm64Rank(level string) int {
	major, minor, _ := strings.Cut(level, ".")
	if minor == "" {
		minor = "0"
	}
	minor, _, _ = strings.Cut(minor, ",") // v8.1,lse
	switch m := numbered(minor, "", 0, 9); {
	case m == unranked:
		return unranked
	case major == "v8":
		return m
	case major == "v9":
		return m + 5
	}
	return unranked
}

// lowest is the level of a platform without a variant.
func lowest(arch string) string {
	switch arch {
	case "amd64":
		return "v1"
	case "arm":
		return "v7"
	case "arm64":
		return "v8"
	case "ppc64", "ppc64le":
		return "power8"
	case "riscv64":
		return "rva20u64"
	}
	return ""
}

// Processors are those that the code of a file needs at least, and those that a platform promises, in words for a
// message: x86-64-v3 and x86-64-v1. They are "" where nothing is stated.
func Processors(f Fact, p v1.Platform) (needs, promised string) {
	return processor(p.Architecture, f.Baseline), processor(p.Architecture, cmp.Or(p.Variant, lowest(p.Architecture)))
}

func processor(arch, level string) string {
	switch {
	case level == "":
		return ""
	case arch == "amd64":
		return "x86-64-" + level
	case arch == "arm", arch == "arm64":
		return "ARM" + level
	}
	return strings.ToUpper(level)
}

// state sets the baseline, unless a newer one was stated: what was linked together needs all that its parts need,
// whichever of them says so. Of two that say the same Go is named.
func (f *Fact) state(level, from string) {
	is, was := rank(f.Arch, level), rank(f.Arch, f.Baseline)
	if is > was || is == was && is != unranked && from == FromGo {
		f.Baseline, f.BaselineFrom = level, from
	}
}
