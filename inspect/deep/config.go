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

// configJSON is what is needed of an image config.
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
		Labels struct { // a map of all of them could be large
			AllowForeign string `json:"mtool.allow-foreign"` // Label
		} `json:"Labels"`
	} `json:"config"`
	RootFS struct {
		DiffIDs []v1.Hash `json:"diff_ids"`
	} `json:"rootfs"`
}

// subject is one image, and what its config says.
type subject struct {
	inspect.Image

	platform v1.Platform // what it must be for: the claim or, where there is none, what the config says
	config   configJSON
	uses     []Use // how it is used; none: as its config says
	n        int   // its place in the report
	err      error // why the config can't be used
}

func newSubject(i inspect.Image, n int, uses []Use) subject {
	s := subject{Image: i, platform: platform.Normalize(i.Claim()), n: n, uses: uses}
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

// readable reports whether there is anything to read: claims that could not be read have their own findings.
func (s subject) readable() bool {
	return s.Err == nil && s.err == nil && !platform.IsUnknown(s.platform)
}

func (s subject) layer(n int) rootfs.LayerSource {
	return rootfs.LayerSource{
		Layer: rootfs.Layer{Descriptor: s.Layers[n], DiffID: s.config.RootFS.DiffIDs[n]}, Source: s.Source,
	}
}

// wishes are the exemptions that the image asks for by its label. What is no pattern is nothing asked for, nor is a
// label of too many of them.
func (s subject) wishes() (globs []Glob) {
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
