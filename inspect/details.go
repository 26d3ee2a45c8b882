package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Details are what an image's config says beside its platform. Nothing has checked it.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
type Details struct {
	Created time.Time // zero when the config does not say it
	Labels  map[string]string

	Entrypoint, Cmd  []string
	Env              []string // NAME=value
	User, WorkingDir string
	Ports, Volumes   map[string]json.RawMessage // whose keys alone count

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
		User, WorkingDir      string
		ExposedPorts, Volumes map[string]json.RawMessage
		Labels                map[string]string
	} `json:"config"`
	RootFS struct {
		DiffIDs []v1.Hash `json:"diff_ids"`
	} `json:"rootfs"`
	History []step `json:"history"`
}

// Details reads the config. The error says what of it is not as the specification has it; what is, is returned beside it. A
// config of more than 100,000 values, which no real image has, is not read.
func (i Image) Details() (Details, error) {
	const most = 100_000
	if valuesIn(i.ConfigBody) > most {
		return Details{}, fmt.Errorf("%w: more than %d values in a config", ErrLimit, most)
	}
	var c detailsJSON
	err := json.Unmarshal(i.ConfigBody, &c)
	d := Details{
		Labels: c.Config.Labels, Entrypoint: c.Config.Entrypoint, Cmd: c.Config.Cmd, Env: c.Config.Env, User: c.Config.User,
		WorkingDir: c.Config.WorkingDir, Ports: c.Config.ExposedPorts, Volumes: c.Config.Volumes, DiffIDs: c.RootFS.DiffIDs, history: c.History,
	}
	if c.Created != "" {
		var wrong error
		d.Created, wrong = time.Parse(time.RFC3339, c.Created)
		err = errors.Join(err, wrong)
	}
	return d, err
}

// details are what of the config is as it should be; checker.details tells of the rest.
func (i Image) details() Details {
	d, _ := i.Details()
	return d
}

// details finds configs that are not as the specification has them: what they say otherwise was not looked at, and some runtimes
// refuse them.
func (c *checker) details() {
	for _, i := range c.report.Images {
		if i.Err != nil || len(i.ConfigBody) == 0 {
			continue
		}
		if _, err := i.Details(); err != nil {
			f := c.image(i)
			f.Evidence, f.Err = "its config is not as it should be", nil
			f.Message = fmt.Sprintf("%s (%s): its config is not as the specification has it: %s", f.Platform, short(f.Digest), oneLine(err))
			c.add(f.Note(RuleOddConfig))
		}
	}
}
