package deep

import (
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/rootfs"
	"mtool/registry"
)

// configJSON has the members of an image config that are used here.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
type configJSON struct {
	Config struct {
		Entrypoint []string `json:"Entrypoint"`
		Cmd        []string `json:"Cmd"`
		Env        []string `json:"Env"`
		WorkingDir string   `json:"WorkingDir"`
		Shell      []string `json:"Shell"`
		// https://github.com/moby/docker-image-spec/blob/main/spec.md
		Healthcheck struct {
			Test []string `json:"Test"`
		} `json:"Healthcheck"`
		Labels struct { // not a map: an image may have many
			AllowForeign string `json:"mtool.allow-foreign"` // Label
		} `json:"Labels"`
	} `json:"config"`
	RootFS struct {
		DiffIDs []v1.Hash `json:"diff_ids"`
	} `json:"rootfs"`
}

// subject is one image with its decoded config.
type subject struct {
	inspect.Image

	platform v1.Platform // the claim or, without one, the platform of the config
	config   configJSON
	uses     []Use // how it is used; empty: as its config says
	index    int   // its index in the report
	err      error // why the config can't be used
}

func newSubject(i inspect.Image, n int, uses []Use) subject {
	s := subject{Image: i, platform: platform.Normalize(i.Claim()), index: n, uses: uses}
	if platform.IsUnknown(s.platform) {
		s.platform = platform.Normalize(i.Config)
	}
	if err := json.Unmarshal(i.ConfigBody, &s.config); err != nil {
		s.err = fmt.Errorf("%w: not an image config: %w", registry.ErrContent, err)
	} else if have := len(s.config.RootFS.DiffIDs); have != len(i.Layers) {
		s.err = fmt.Errorf("%w: the config has %d diffIDs, the manifest %d layers", registry.ErrContent, have, len(i.Layers))
	}
	return s
}

// readable reports whether the layers can be read. An unreadable manifest or config has its own finding.
func (s subject) readable() bool {
	return s.Err == nil && s.err == nil && !platform.IsUnknown(s.platform)
}

func (s subject) layer(n int) rootfs.LayerSource {
	return rootfs.LayerSource{
		Layer: rootfs.Layer{Descriptor: s.Layers[n], DiffID: s.config.RootFS.DiffIDs[n]}, Source: s.Source,
	}
}

// exemptGlobs returns the exemptions that the image requests by its label. Invalid patterns are ignored, and so is a
// label with too many of them.
func (s subject) exemptGlobs() (globs []Glob) {
	label := s.config.Config.Labels.AllowForeign
	if strings.Count(label, ",") >= maxGlobs {
		return nil
	}
	for text := range strings.SplitSeq(label, ",") {
		if g, err := ParseGlob(text); err == nil {
			globs = append(globs, g)
		}
	}
	return globs
}
