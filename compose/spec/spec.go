package spec

import (
	_ "embed"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/strictyaml"
)

// Schema is the JSON schema (draft 2020-12) of what Parse reads.
//
//go:embed schema.json
var Schema []byte

// Spec is a list as described by a file.
type Spec struct {
	Image       string            `yaml:"image"`       // the list's name
	Tags        []string          `yaml:"tags"`        // more tags in its repository
	Targets     []string          `yaml:"targets"`     // more names, in any registry
	Type        string            `yaml:"type"`        // auto, oci, docker
	Require     []string          `yaml:"require"`     // platforms that the list must serve
	Annotations map[string]string `yaml:"annotations"` // of the list
	Manifests   []Manifest        `yaml:"manifests"`
}

// Manifest is one source of the list.
type Manifest struct {
	Image       string            `yaml:"image"`
	Platform    Platform          `yaml:"platform"`
	Annotations map[string]string `yaml:"annotations"` // of its rows
}

// Platform is the platform that the file gives a source; in a list it also selects the image. The last two members
// have two spellings: manifest-tool's documentation has one and its code the other.
type Platform struct {
	OS            string   `yaml:"os"`
	Architecture  string   `yaml:"architecture"`
	Variant       string   `yaml:"variant"`
	OSVersion     string   `yaml:"os.version"`
	OSVersionAlso string   `yaml:"osversion"`
	OSFeatures    []string `yaml:"os.features"`
	OSFeatAlso    []string `yaml:"osfeatures"`
	Features      []string `yaml:"features"`
}

// V1 returns the platform in the terms of an image config; members that the file lacks are zero.
func (p Platform) V1() v1.Platform {
	out := v1.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion,
		OSFeatures: p.OSFeatures,
	}
	if out.OSVersion == "" {
		out.OSVersion = p.OSVersionAlso
	}
	if len(out.OSFeatures) == 0 {
		out.OSFeatures = p.OSFeatAlso
	}
	return out
}

// Parse reads a YAML (or JSON) file; name identifies it in errors. Unknown keys, repeated keys and values of the
// wrong kind are errors with the line. All errors wrap registry.ErrUsage.
func Parse(name string, data []byte) (Spec, error) {
	var s Spec
	if err := strictyaml.Decode(name, data, &s); err != nil {
		return Spec{}, registry.Usagef("reading spec %w", err)
	}
	if err := s.check(); err != nil {
		return Spec{}, fmt.Errorf("reading spec %s: %w", name, err)
	}
	return s, nil
}

func (s Spec) check() error {
	var errs []error
	if len(s.Manifests) == 0 {
		errs = append(errs, registry.Usagef("it has no manifests, so the list would be empty"))
	}
	for i, m := range s.Manifests {
		if m.Image == "" {
			errs = append(errs, registry.Usagef("manifests[%d]: it names no image", i))
		}
		if err := m.Platform.check(); err != nil {
			errs = append(errs, registry.Usagef("manifests[%d] (%s): %w", i, m.Image, err))
		}
	}
	return errors.Join(errs...)
}

func (p Platform) check() error {
	if p.OSVersion != "" && p.OSVersionAlso != "" || len(p.OSFeatures) > 0 && len(p.OSFeatAlso) > 0 {
		return errors.New("os.version and os.features are stated in both spellings")
	}
	stated := p.V1()
	if stated.OS == "" || stated.Architecture == "" {
		return nil // the image provides what the file lacks
	}
	return platform.Validate(platform.Normalize(stated))
}
