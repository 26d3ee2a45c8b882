package platform

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Parse parses os/arch[/variant][:os.version] and returns its normal form. It understands aliases (linux/x86_64,
// linux/aarch64, linux/armhf, linux/arm64/v8), and the os.version also in BuildKit's spelling,
// windows(10.0.20348.1)/amd64. Like docker's --platform it takes an architecture alone, which is one of linux; "local"
// is this machine's platform. Unknown values, combinations that no system has and wildcards are errors that wrap
// ErrInvalid and list the valid values.
func Parse(s string) (v1.Platform, error) {
	if s == "local" {
		return Host(), nil
	}
	p, err := split(s)
	if err != nil {
		return v1.Platform{}, err
	}
	if err := validate(p, s); err != nil {
		return v1.Platform{}, err
	}
	return Normalize(p), nil
}

// ParseArch parses an architecture of Linux, with or without its variant: arm64, arm (which is arm/v7), arm/v6, and the
// aliases armv6, aarch64, x86_64, armhf and the like. Errors are as Parse's.
func ParseArch(s string) (v1.Platform, error) {
	arch, variant, _ := strings.Cut(s, "/")
	if isOS(arch) && variant != "" {
		return v1.Platform{}, &invalidError{value: s, problem: "that is a platform, not an architecture", meant: variant}
	}
	p := v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
	if p.Architecture == wasm {
		return v1.Platform{}, unknown(s, "linux architecture", wasm, machines())
	}
	if err := contradiction(p, s); err != nil {
		return v1.Platform{}, err
	}
	if err := validate(p, s); err != nil {
		return v1.Platform{}, err
	}
	return Normalize(p), nil
}

// split splits the string without checking the words.
func split(s string) (v1.Platform, error) {
	if s == "" {
		return v1.Platform{}, &invalidError{value: s, problem: "it is empty"}
	}
	if strings.ContainsAny(s, "*?{}$<>") {
		return v1.Platform{}, &invalidError{value: s, problem: "wildcards and templates are not platforms"}
	}
	names, version, err := cutVersion(s)
	if err != nil {
		return v1.Platform{}, err
	}
	words := strings.Split(names, "/")
	if a, _ := canonicalArch(words[0]); len(words) < 3 && slices.Contains(machines(), a) {
		words = slices.Insert(words, 0, "linux")
	}
	p := v1.Platform{OS: words[0], OSVersion: version}
	switch {
	case len(words) == 1 && isOS(words[0]):
		return p, &invalidError{value: s, problem: "it names no architecture; valid: " +
			strings.Join(architectures(canonicalOS(words[0])), ", ")}
	case len(words) == 1:
		return p, unknown(s, "operating system or architecture", words[0],
			slices.Concat(operatingSystems(), machines()))
	case len(words) > 3 || slices.Contains(words, ""):
		return p, &invalidError{value: s, problem: "it is not os/arch[/variant][:os.version]"}
	case len(words) == 3:
		p.Variant = words[2]
	}
	p.Architecture = words[1]
	return p, contradiction(p, s)
}

// cutVersion finds the os.version in os/arch:version or in os(version)/arch.
func cutVersion(s string) (names, version string, err error) {
	names, version, found := strings.Cut(s, ":")
	if before, rest, ok := strings.Cut(s, "("); ok && !found {
		var after string
		version, after, found = strings.Cut(rest, ")")
		names = before + after
	}
	if found && version == "" {
		return "", "", &invalidError{value: s, problem: "the os.version is empty"}
	}
	return names, version, nil
}

// contradiction refuses an alias that names one variant together with another variant: armhf/v6.
func contradiction(p v1.Platform, value string) error {
	arch, implied := canonicalArch(p.Architecture)
	if implied == "" || p.Variant == "" || canonicalVariant(arch, strings.ToLower(p.Variant)) == implied {
		return nil
	}
	return &invalidError{
		value:   value,
		problem: fmt.Sprintf("%s means %s/%s, which contradicts %s", p.Architecture, arch, implied, p.Variant),
		meant:   arch + "/" + strings.ToLower(p.Variant),
	}
}

func isOS(s string) bool { return slices.Contains(operatingSystems(), canonicalOS(s)) }

// ParseList parses the values of a flag that may be repeated and may hold commas, in the given order. A platform given
// twice, in any spelling, counts once. An empty part, as in "linux/amd64,", is an error.
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
