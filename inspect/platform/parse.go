package platform

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Parse reads os/arch[/variant][:os.version] and returns its normal form. Aliases are understood (linux/x86_64,
// linux/aarch64, linux/armhf, linux/arm64/v8), the os.version also in BuildKit's spelling, windows(10.0.20348.1)/amd64.
// Where docker's --platform takes an architecture alone, so does Parse: it is one of linux. "local" is this machine's.
// Unknown values, combinations that no system has and wildcards are errors that wrap ErrInvalid and list what is valid.
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

// ParseArch reads an architecture of Linux, with or without its variant: arm64, arm (which is arm/v7), arm/v6, and the
// aliases armv6, aarch64, x86_64, armhf and their like. Errors are as Parse's.
func ParseArch(s string) (v1.Platform, error) {
	arch, variant, _ := strings.Cut(s, "/")
	if isOS(arch) && variant != "" {
		return v1.Platform{}, &invalidError{value: s, problem: "that is a platform, not an architecture", meant: variant}
	}
	p := v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
	if err := contradiction(p, s); err != nil {
		return v1.Platform{}, err
	}
	if err := validate(p, s); err != nil {
		return v1.Platform{}, err
	}
	return Normalize(p), nil
}

// split takes the string apart without judging the words.
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
	if a, _ := canonicalArch(words[0]); len(words) < 3 && slices.Contains(architectures("linux"), a) {
		words = slices.Insert(words, 0, "linux")
	}
	p := v1.Platform{OS: words[0], OSVersion: version}
	switch {
	case len(words) == 1 && isOS(words[0]):
		return p, &invalidError{value: s, problem: "it names no architecture; valid: " +
			strings.Join(architectures(canonicalOS(words[0])), ", ")}
	case len(words) == 1:
		return p, unknown(s, "operating system or architecture", words[0], slices.Concat(operatingSystems(), architectures("linux")))
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

// contradiction refuses an alias that names one variant beside another one: armhf/v6.
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
