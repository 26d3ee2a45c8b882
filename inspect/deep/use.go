package deep

import (
	"errors"
	"slices"

	"mtool/inspect/rootfs"
)

// Use says how a deployment uses an image. Its members override the image's config; the zero value starts the image
// as it is.
type Use struct {
	Entrypoint []string // nil: the image's; empty: none
	Cmd        []string // nil: the image's; empty: none
	Env        []string // NAME=value, added to the image's
	WorkingDir string   // "": the image's
	Health     []string // the command of a health check; nil: the image's; empty: none
	// Also has other commands that are started in the container: those of probes and hooks.
	Extra [][]string
	// Mounts has the directories and files of the container that are mounted over the image.
	Mounts []string
	// Unknown says why the command is not known before the container starts; "" if it is.
	Unknown string
	// Volume says that nothing is started, and the files are mounted into another container.
	Volume bool
}

// startsProgram reports whether the image starts a program by a known rule. A volume may be used as a whole.
func (s subject) startsProgram() bool {
	if s.platform.OS == "windows" {
		return false
	}
	for _, u := range s.useList() {
		c := s.command(u)
		if u.Volume || len(c.Entrypoint)+len(c.Cmd) == 0 {
			return false
		}
	}
	return true
}

// useList returns the uses of the image, of which there is at least one.
func (s subject) useList() []Use {
	if len(s.uses) == 0 {
		return []Use{{}}
	}
	return s.uses
}

// command returns what a use starts.
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
		r.Extra = append(r.Extra, rootfs.ExtraCommand{Argv: health, By: "the health check"})
	}
	for _, argv := range u.Extra {
		r.Extra = append(r.Extra, rootfs.ExtraCommand{Argv: argv, By: "a probe or hook"})
	}
	return r
}

// health returns the command of the image's own health check.
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

// steps returns the files that are started, for all uses. The error says why those of a use are not known.
func (s subject) steps(t *rootfs.Tree) (all []rootfs.Step, err error) {
	type key struct {
		role      rootfs.Role
		asked, by string
	}
	seen := map[key]bool{}
	for _, u := range s.useList() {
		if u.Volume {
			continue
		}
		steps, failed := t.Command(s.command(u))
		err = errors.Join(err, failed)
		for _, step := range steps {
			k := key{step.Role, step.Name, step.By}
			if step.Err != nil || !seen[k] {
				all = append(all, step)
			}
			seen[k] = true
		}
	}
	return all, err
}

// firstStop returns the first step after which the programs could not be followed; nil if there is none.
func firstStop(steps []rootfs.Step) *rootfs.Step {
	for n := range steps {
		if errors.Is(steps[n].Err, rootfs.ErrNotFollowed) {
			return &steps[n]
		}
	}
	return nil
}
