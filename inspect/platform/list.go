package platform

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ParseList reads the values of a flag that may be repeated and may hold commas, in the order given. A platform given
// twice, in whatever spelling, is one. No values are no platforms; an empty part, as in "linux/amd64,", is an error.
func ParseList(values []string) ([]v1.Platform, error) { return parseAll(values, Parse) }

// ParseArchList is ParseList for architectures of Linux.
func ParseArchList(values []string) ([]v1.Platform, error) { return parseAll(values, ParseArch) }

func parseAll(values []string, parse func(string) (v1.Platform, error)) ([]v1.Platform, error) {
	var all []v1.Platform
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			p, err := parse(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			if !contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

func contains(all []v1.Platform, p v1.Platform) bool {
	for _, have := range all {
		if Equal(have, p) {
			return true
		}
	}
	return false
}
