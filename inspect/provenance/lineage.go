package provenance

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// Base is the base of a build's last stage.
type Base struct {
	Name     string // the image, as addressed by BuildKit; "" for a command that ran on an empty root file system
	Platform v1.Platform
}

// step is one of BuildKit's operations; the last one has the image's root file system as its only input.
// https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md
type step struct {
	ID     string   `json:"id"`
	Inputs []string `json:"inputs"` // "step3:0": an operation and which of its outputs
	Op     struct {
		Op struct {
			Source *struct {
				Identifier string `json:"identifier"`
			} `json:"source"`
			File *struct {
				Actions []struct {
					Input int `json:"input"` // the file system that it changes; negative: an empty one
				} `json:"actions"`
			} `json:"file"`
			Exec *struct {
				Mounts []struct {
					Input int    `json:"input"`
					Dest  string `json:"dest"`
				} `json:"mounts"`
			} `json:"exec"`
		}
		Platform struct {
			OS, Architecture, Variant string
		} `json:"platform"`
	} `json:"op"`
}

// steps exist with mode=max only.
type steps struct {
	Definition []step `json:"llbDefinition"`
}

// base follows the root file system back to its origin. Files copied from other stages do not count, since those may
// be of any platform.
func (s steps) base() (b Base, found bool) {
	byID := make(map[string]step, len(s.Definition))
	for _, one := range s.Definition {
		byID[one.ID] = one
	}
	next, left := s.last(), len(s.Definition) // limits a definition that refers to itself
	for ; next != "" && left > 0; left-- {
		one := byID[next]
		p, known := one.platform()
		switch source := one.Op.Op.Source; {
		case source != nil:
			name, image := imageOf(source.Identifier)
			if image && known {
				return Base{name, p}, true
			}
			return b, found
		case one.Op.Op.Exec != nil && known && !found:
			b.Platform, found = p, true
		}
		next = one.root()
	}
	return b, found
}

func (s steps) last() string {
	if len(s.Definition) == 0 {
		return ""
	}
	return s.Definition[len(s.Definition)-1].ID
}

// root returns the operation whose root file system this one changes; "" if that is empty.
func (o step) root() string {
	at := 0
	if file := o.Op.Op.File; file != nil && len(file.Actions) > 0 {
		at = file.Actions[0].Input
	}
	if exec := o.Op.Op.Exec; exec != nil {
		for _, m := range exec.Mounts {
			if m.Dest == "/" {
				at = m.Input
			}
		}
	}
	if at < 0 || at >= len(o.Inputs) {
		return ""
	}
	id, _, _ := strings.Cut(o.Inputs[at], ":")
	return id
}

func (o step) platform() (v1.Platform, bool) {
	p := o.Op.Platform
	if p.OS == "" || p.Architecture == "" {
		return v1.Platform{}, false
	}
	return platform.Normalize(v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}), true
}

// imageOf returns the image in the address of a source: docker-image://NAME, oci-layout://NAME.
func imageOf(identifier string) (name string, ok bool) {
	scheme, name, _ := strings.Cut(identifier, "://")
	return name, scheme == "docker-image" || scheme == "oci-layout"
}
