package compose

import (
	"cmp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// withPlatform returns e with a row that claims p. Other members of the row's platform are kept.
func (e Entry) withPlatform(p v1.Platform) (Entry, error) {
	row, err := parseObject(e.Row)
	if err != nil {
		return Entry{}, err
	}
	inner := object{}
	if raw := row.get("platform"); raw != nil && string(raw) != "null" {
		if inner, err = parseObject(raw); err != nil {
			return Entry{}, err
		}
	}
	if inner, err = inner.setPlatform(p); err != nil {
		return Entry{}, err
	}
	if row, err = row.set("platform", inner.encode()); err != nil {
		return Entry{}, err
	}
	return e.withRow(row.encode())
}

// apply returns p as edited, spelled as runtimes do. A new architecture removes the old one's variant, which would
// mean nothing.
func (d Edit) apply(p v1.Platform) v1.Platform {
	out := p
	out.OS = cmp.Or(d.OS, p.OS)
	if d.Arch != "" {
		out.Architecture, out.Variant = d.architecture(p)
	}
	out.Variant = cmp.Or(d.Variant, out.Variant)
	out.OSVersion = cmp.Or(d.OSVersion, p.OSVersion)
	if len(d.OSFeatures) > 0 {
		out.OSFeatures = d.OSFeatures
	}
	for _, name := range d.Unset {
		switch name {
		case "variant":
			out.Variant = ""
		case "os.version":
			out.OSVersion = ""
		case "os.features":
			out.OSFeatures = nil
		}
	}
	if right, odd := platform.Misspelled(out); odd && d.hasPlatform() {
		right.OSFeatures = out.OSFeatures
		return right
	}
	return out
}

// architecture applies the edit's Arch to p's architecture and variant. Another spelling of p changes nothing, and
// the plain name of p's architecture leaves its variant alone.
func (d Edit) architecture(p v1.Platform) (arch, variant string) {
	named, err := platform.ParseArch(d.Arch) // aarch64, armv7, …
	if err != nil {
		return d.Arch, ""
	}
	was := platform.Normalize(v1.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant})
	plain := strings.EqualFold(d.Arch, named.Architecture)
	if was.Architecture == named.Architecture && (plain || was.Variant == named.Variant) {
		return p.Architecture, p.Variant
	}
	return named.Architecture, named.Variant
}

// withAnnotation returns e with a row that has an annotation, or has it not.
func (e Entry) withAnnotation(key, value string, has bool) (Entry, error) {
	edit := Edit{Unset: []string{key}}
	if has {
		edit = Edit{Annotations: map[string]string{key: value}}
	}
	row, err := parseObject(e.Row)
	if err != nil {
		return Entry{}, err
	}
	if row, err = row.setStrings(annotationsMember, edit.annotations(e.Descriptor.Annotations)); err != nil {
		return Entry{}, err
	}
	return e.withRow(row.encode())
}
