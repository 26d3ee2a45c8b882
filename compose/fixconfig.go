package compose

import (
	"encoding/json"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// fixConfig writes the right platform into a config, and the new config into the manifest.
func fixConfig(manifest object, config []byte) (object, []byte, error) {
	stated, err := configPlatform(config)
	if err != nil {
		return manifest, config, err
	}
	right, odd := platform.Misspelled(stated)
	if !odd {
		return manifest, config, nil
	}
	body, err := parseObject(config)
	if err != nil {
		return manifest, config, err
	}
	right.OSFeatures = stated.OSFeatures
	if body, err = body.setPlatform(right); err != nil {
		return manifest, config, err
	}
	config = body.encode()
	manifest, err = manifest.withConfig(config)
	return manifest, config, err
}

// configPlatform returns the platform in a config.
func configPlatform(config []byte) (v1.Platform, error) {
	var p v1.Platform
	if err := json.Unmarshal(config, &p); err != nil {
		return p, fmt.Errorf("reading a config: %w: %w", registry.ErrContent, err)
	}
	p.Features = nil
	return p, nil
}

// madeConfig reports whether an edit made the config of the entry's image, so no source has it.
func (e Entry) madeConfig() bool {
	return e.ownConfig || e.OriginalDigest != (v1.Hash{}) &&
		slices.ContainsFunc(e.Edits, func(d Edit) bool { return d.FixConfig || d.Config != nil })
}
