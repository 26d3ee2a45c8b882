package deep

import (
	"errors"
	"slices"

	"mtool/inspect/rootfs"
)

// Use is what a place starts of an image. What it says replaces what the image's config says; the zero value starts the
// image as it is.
type Use struct {
	Entrypoint []string // nil: the image's; empty: none
	Cmd        []string // nil: the image's; empty: none
	Env        []string // NAME=value, over the image's
	WorkingDir string   // "": the image's
	Health     []string // the command of a health check; nil: the image's; empty: none
	// Also are other commands that are started in the container: those of probes and hooks.
	Also [][]string
	// Mounts are the directories and files of the container that are not the image's.
	Mounts []string
	// Unknown is why the words are not known before the container starts; "" where they are.
	Unknown string
	// Volume says that nothing is started: the files are mounted into another container.
	Volume bool
}

// starts reports whether a program of the image is started, by rules that we know. A volume is used as a whole.
func (s subject) starts() bool {
	if s.platform.OS == "windows" {
		return false
	}
	for _, u := range s.all() {
		c := s.command(u)
		if u.Volume || len(c.Entrypoint)+len(c.Cmd) == 0 {
			return false
		}
	}
	return true
}

// all are the uses of the image.
func (s subject) all() []Use {
	if len(s.uses) == 0 {
		return []Use{{}}
	}
	return s.uses
}

// command is what a use starts.
func (s subject) command(u Use) rootfs.ImageConfig {
	c := s.config.Config
	r := rootfs.ImageConfig{
		OS: s.platform.OS, Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: slices.Concat(c.Env, u.Env), WorkingDir: c.WorkingDir,
		Mounts: u.Mounts, Unknown: u.Unknown,
	}
	if u.Entrypoint != nil {
		r.Entrypoint, r.By = u.Entrypoint, "the deployment"
	}
	if u.Cmd != nil {
		r.Cmd = u.Cmd
	}
	if u.WorkingDir != "" {
		r.WorkingDir = u.WorkingDir
	}
	health := s.health()
	if u.Health != nil {
		health = u.Health
	}
	if len(health) > 0 {
		r.Also = append(r.Also, rootfs.Also{Argv: health, By: "the health check"})
	}
	for _, argv := range u.Also {
		r.Also = append(r.Also, rootfs.Also{Argv: argv, By: "a probe or hook"})
	}
	return r
}

// health is the command of the image's own health check.
func (s subject) health() []string {
	test := s.config.Config.Healthcheck.Test
	switch {
	case len(test) < 2:
		return nil
	case test[0] == "CMD":
		return test[1:]
	case test[0] == "CMD-SHELL" && len(s.config.Config.Shell) > 0:
		return append(slices.Clip(s.config.Config.Shell), test[1])
	case test[0] == "CMD-SHELL":
		return []string{"/bin/sh", "-c", test[1]}
	}
	return nil
}

// steps are the files that are started, of all uses. The error says why those of a use are not known.
func (s subject) steps(t *rootfs.Tree) (all []rootfs.Step, err error) {
	type key struct {
		role      rootfs.Role
		asked, by string
	}
	seen := map[key]bool{}
	for _, u := range s.all() {
		if u.Volume {
			continue
		}
		steps, failed := t.Command(s.command(u))
		err = errors.Join(err, failed)
		for _, step := range steps {
			k := key{step.Role, step.Asked, step.By}
			if step.Err != nil || !seen[k] {
				all = append(all, step)
			}
			seen[k] = true
		}
	}
	return all, err
}

// stop is the first step behind which more is started than is followed; nil: everything is.
func stop(steps []rootfs.Step) *rootfs.Step {
	for n := range steps {
		if errors.Is(steps[n].Err, rootfs.ErrNotFollowed) {
			return &steps[n]
		}
	}
	return nil
}
