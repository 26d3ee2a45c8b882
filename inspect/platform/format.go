package platform

import (
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Format formats a platform as it is spelled (see Spelled), os/arch[/variant][:os.version]; Parse reads the result. A
// missing operating system or architecture is written "unknown", os.features are left out, and unprintable characters
// (a list is untrusted text) are written "?".
func Format(p v1.Platform) string {
	p = Spelled(p)
	for _, member := range []*string{&p.OS, &p.Architecture} {
		if *member == "" {
			*member = "unknown"
		}
	}
	return strings.Map(printable, raw(p))
}

// FormatAll formats each platform.
func FormatAll(ps []v1.Platform) []string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = Format(p)
	}
	return all
}

func printable(r rune) rune {
	if unicode.IsGraphic(r) {
		return r
	}
	return '?'
}

// raw joins the members unchanged.
func raw(p v1.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	if p.OSVersion != "" {
		s += ":" + p.OSVersion
	}
	return s
}

// Suffix returns the platform as a part of a tag, as in demo:v1-armv7: amd64, arm64, armv7, amd64v3, riscv64-rva22u64;
// the operating system comes first when it is not Linux, the os.version last: windows-amd64-10.0.20348.1.
func Suffix(p v1.Platform) string {
	p = Normalize(p)
	arch := p.Architecture
	switch {
	case p.Variant == "":
	case strings.HasPrefix(p.Variant, "v"):
		arch += p.Variant
	default:
		arch += "-" + p.Variant
	}
	var parts []string
	if p.OS != "linux" {
		parts = append(parts, p.OS)
	}
	parts = append(parts, arch)
	if p.OSVersion != "" {
		parts = append(parts, p.OSVersion)
	}
	return strings.Join(parts, "-")
}
