package binary

import (
	"cmp"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// unknownRank is the rank of an unknown level.
const unknownRank = -1

// rank orders the levels of one machine: code runs on processors of its rank and above. A platform without a variant
// has the lowest level of its architecture, except 32-bit ARM, which has v7.
func rank(arch, level string) int {
	switch arch {
	case "amd64", "x32":
		return levelNumber(level, "v", 1, 4)
	case "arm", "armbe":
		return levelNumber(level, "v", 4, 9)
	case "arm64", "arm64be":
		return arm64Rank(level)
	case "ppc64", "ppc64le":
		return levelNumber(level, "power", 8, 20)
	case "riscv64":
		profile, ok := strings.CutSuffix(level, "u64")
		if !ok {
			return unknownRank
		}
		return levelNumber(profile, "rva", 20, 99)
	}
	return unknownRank
}

// levelNumber returns the number after a prefix, if it is in a range.
func levelNumber(level, prefix string, from, to int) int {
	digits, ok := strings.CutPrefix(level, prefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < from || n > to {
		return unknownRank
	}
	return n
}

// arm64Rank ranks levels of arm64: v9.0 includes v8.5, v9.1 includes v8.6, and so on.
// https://go.dev/wiki/MinimumRequirements#arm64
func arm64Rank(level string) int {
	major, minor, _ := strings.Cut(level, ".")
	if minor == "" {
		minor = "0"
	}
	minor, _, _ = strings.Cut(minor, ",") // v8.1,lse
	switch m := levelNumber(minor, "", 0, 9); {
	case m == unknownRank:
		return unknownRank
	case major == "v8":
		return m
	case major == "v9":
		return m + 5
	}
	return unknownRank
}

// lowestLevel returns the level of a platform without a variant.
func lowestLevel(arch string) string {
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

// Processors returns, for messages, the oldest processor that runs the code of a file, and the one that a platform
// promises: x86-64-v3 and x86-64-v1. They are "" if nothing is stated.
func Processors(f Fact, p v1.Platform) (needs, promised string) {
	return processor(p.Architecture, f.Baseline), processor(p.Architecture, cmp.Or(p.Variant, lowestLevel(p.Architecture)))
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

// raiseBaseline sets the baseline, unless a newer one was stated: a linked file needs everything that any of its
// parts needs. If two sources state the same baseline, Go's is recorded.
func (f *Fact) raiseBaseline(level, from string) {
	stated, known := rank(f.Arch, level), rank(f.Arch, f.Baseline)
	if stated > known || stated == known && stated != unknownRank && from == FromGo {
		f.Baseline, f.BaselineFrom = level, from
	}
}
