package compose

import (
	"slices"

	"mtool/registry"
)

// Edit is a change by annotate; empty fields change nothing. Values may contain any character.
type Edit struct {
	OS          string            `json:"os,omitempty"`
	Arch        string            `json:"arch,omitempty"` // any spelling that platform.ParseArch knows
	Variant     string            `json:"variant,omitempty"`
	OSVersion   string            `json:"osVersion,omitempty"`
	OSFeatures  []string          `json:"osFeatures,omitempty"` // replaces all of them
	Annotations map[string]string `json:"annotations,omitempty"`
	// Unset removes annotations; for an entry it also removes the platform's members variant, os.version and
	// os.features.
	Unset []string `json:"unset,omitempty"`
	// Child puts the annotations on the image's own manifest instead of its row, which changes the image's digest.
	Child bool `json:"child,omitempty"`
	// Convert makes the image an OCI or a Docker one: TypeOCI or TypeDocker.
	Convert Type `json:"convert,omitempty"`
	// FixConfig spells the platform in the image's config as runtimes do, which changes the image's digest.
	FixConfig bool `json:"fixConfig,omitempty"`
	// Config changes what the image's config says, which changes the image's digest.
	Config *ConfigEdit `json:"config,omitempty"`
	// KeepAttestations refuses to change the digest of an image with attestations. Otherwise the attestations are
	// dropped.
	KeepAttestations bool `json:"keepAttestations,omitempty"`
	// Force allows a platform that is unknown or contradicts the image's config.
	Force bool `json:"force,omitempty"`
}

// ofChild reports whether the edit changes the image's own manifest.
func (d Edit) ofChild() bool { return d.Child || d.Convert != "" || d.FixConfig || d.Config != nil }

func (d Edit) check() error {
	if !d.hasPlatform() && len(d.Annotations) == 0 && len(d.Unset) == 0 && d.Convert == "" && !d.FixConfig && d.Config == nil {
		return registry.Usagef("nothing to change")
	}
	if d.Config != nil {
		if err := d.Config.Check(); err != nil {
			return err
		}
	}
	if _, empty := d.Annotations[""]; empty || slices.Contains(d.Unset, "") {
		return registry.Usagef("an annotation needs a name")
	}
	for _, k := range d.Unset {
		if _, both := d.Annotations[k]; both {
			return registry.Usagef("%q is both set and unset", k)
		}
	}
	return nil
}

func (d Edit) hasPlatform() bool {
	return d.OS != "" || d.Arch != "" || d.Variant != "" || d.OSVersion != "" || len(d.OSFeatures) > 0
}

// annotations returns old as edited, nil if nothing is left.
func (d Edit) annotations(old map[string]string) map[string]string {
	return editMap(old, d.Annotations, d.Unset)
}
