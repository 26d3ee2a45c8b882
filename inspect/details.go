package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Details is what an image's config states besides its platform. Nothing has checked it.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
type Details struct {
	Created time.Time // zero when the config does not state it
	Labels  map[string]string

	Entrypoint, Cmd  []string
	Env              []string // NAME=value
	User, WorkingDir string
	Ports, Volumes   map[string]json.RawMessage // only the keys matter
	OnBuild          []string                   // steps of images that are built on this one

	DiffIDs []v1.Hash
	history []step
}

// step is a line of the history.
type step struct {
	CreatedBy  string `json:"created_by"`
	EmptyLayer bool   `json:"empty_layer"`
}

type detailsJSON struct {
	Created string `json:"created"`
	Config  struct {
		Entrypoint, Cmd, Env  []string
		OnBuild               []string
		User, WorkingDir      string
		ExposedPorts, Volumes map[string]json.RawMessage
		Labels                map[string]string
	} `json:"config"`
	RootFS struct {
		DiffIDs []v1.Hash `json:"diff_ids"`
	} `json:"rootfs"`
	History []step `json:"history"`
}

// Details parses the config. Where the config violates the specification it returns an error together with the rest. It
// refuses a config of more than 100,000 values, which no real image has.
func (i Image) Details() (Details, error) {
	const most = 100_000
	if valuesIn(i.ConfigBody) > most {
		return Details{}, fmt.Errorf("%w: more than %d values in a config", ErrLimit, most)
	}
	var c detailsJSON
	err := json.Unmarshal(i.ConfigBody, &c)
	d := Details{
		Labels: c.Config.Labels, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd, Env: c.Config.Env, User: c.Config.User,
		WorkingDir: c.Config.WorkingDir, Ports: c.Config.ExposedPorts, Volumes: c.Config.Volumes,
		OnBuild: c.Config.OnBuild, DiffIDs: c.RootFS.DiffIDs, history: c.History,
	}
	if c.Created != "" {
		var wrong error
		d.Created, wrong = time.Parse(time.RFC3339, c.Created)
		err = errors.Join(err, wrong)
	}
	return d, err
}

// details returns the valid parts of the config; checker.details reports the others.
func (i Image) details() Details {
	d, _ := i.Details()
	return d
}

// details reports configs that violate the specification: the rest of them was not checked, and some runtimes refuse
// them.
func (c *checker) details() {
	for _, i := range c.report.Images {
		if i.Err != nil || len(i.ConfigBody) == 0 {
			continue
		}
		if _, err := i.Details(); err != nil {
			f := c.image(i)
			f.Evidence, f.Err = "its config is not as it should be", nil
			f.Message = fmt.Sprintf("%s (%s): its config violates the specification: %s", f.Platform, Short(f.Digest),
				oneLine(err))
			c.add(f.Note(RuleOddConfig))
		}
	}
}

// The annotations that name an image's base, see
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
const (
	BaseName   = "org.opencontainers.image.base.name"
	BaseDigest = "org.opencontainers.image.base.digest"
)

// Base is the base image that an image names; nothing has checked it.
type Base struct {
	Name   string
	Digest string
}

// baseWords decodes these annotations only: a map of all could be large.
type baseWords struct {
	Name   string `json:"org.opencontainers.image.base.name"`
	Digest string `json:"org.opencontainers.image.base.digest"`
}

// Base returns the base named by the annotations of the image's manifest, else by those of its row, else by its labels.
func (i Image) Base() Base {
	var manifest struct{ Annotations baseWords }
	_ = json.Unmarshal(i.Manifest.Body, &manifest) // decoded before; members that do not fit are ignored
	row, labels := i.Descriptor.Annotations, i.details().Labels
	for _, from := range []baseWords{
		manifest.Annotations,
		{row[BaseName], row[BaseDigest]},
		{labels[BaseName], labels[BaseDigest]},
	} {
		if b := (Base{printable(from.Name), printable(from.Digest)}); b != (Base{}) {
			return b
		}
	}
	return Base{}
}

// Created returns when the image was made, according to its config; zero when that does not state it.
func (i Image) Created() time.Time { return i.details().Created }
