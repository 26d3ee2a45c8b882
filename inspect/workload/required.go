package workload

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// Universe is where workloads will run. With the zero value a workload needs the platforms that it names itself.
type Universe struct {
	Platforms []v1.Platform // all of them must be served
	Nodes     []Node        // the nodes of the cluster
}

// All returns the platforms of the universe.
func (u Universe) All() []v1.Platform {
	all := slices.Clone(u.Platforms)
	for _, n := range u.Nodes {
		all = add(all, n.Platform)
	}
	return all
}

// Required returns the platforms that an image must serve here: those of the universe that its selector admits or, if
// it admits none, those that it names. noNode reports that there are nodes, but none fits.
func (u Use) Required(where Universe) (required []v1.Platform, noNode bool) {
	if !platform.IsUnknown(u.Platform) {
		return []v1.Platform{u.Platform}, false
	}
	for _, p := range where.Platforms {
		if u.Selector.admits(ofPlatform(p)) {
			required = add(required, p)
		}
	}
	noNode = len(where.Nodes) > 0
	for _, n := range where.Nodes {
		if u.Selector.admitsNode(n) {
			required, noNode = add(required, n.Platform), false
		}
	}
	if len(required) == 0 {
		required = u.Selector.named()
	}
	if len(required) == 0 {
		required = u.Built
	}
	return required, noNode
}

// named returns the platforms that a selector names and admits. One without an architecture stands for any of its
// system.
func (s Selector) named() []v1.Platform {
	architectures, systems := s.values(archLabel), s.values(osLabel)
	if s.os != "" {
		systems = []string{s.os}
	}
	switch {
	case len(architectures) == 0 && len(systems) == 0:
		return nil
	case len(architectures) == 0:
		architectures = []string{""}
	case len(systems) == 0:
		systems = []string{"linux"}
	}
	var all []v1.Platform
	for _, os := range systems {
		for _, arch := range architectures {
			p := v1.Platform{OS: os, Architecture: arch}
			if s.admits(ofPlatform(p)) {
				all = add(all, platform.Normalize(p))
			}
		}
	}
	return all
}

// values returns the values that a selector requires of a label.
func (s Selector) values(label string) []string {
	var all []string
	for _, q := range s.requirements(label) {
		if q.operator == "In" {
			all = append(all, q.values...)
		}
	}
	return all
}

// ofPlatform returns the facts of a node with only a platform; an empty architecture is unknown.
func ofPlatform(p v1.Platform) facts {
	return func(q requirement) (string, bool, bool) {
		switch {
		case q.field:
		case q.key == archLabel:
			return p.Architecture, true, p.Architecture != ""
		case q.key == osLabel:
			return p.OS, true, p.OS != ""
		}
		return "", false, false
	}
}

func add(all []v1.Platform, p v1.Platform) []v1.Platform {
	if slices.ContainsFunc(all, func(q v1.Platform) bool { return platform.Equal(p, q) }) {
		return all
	}
	return append(all, p)
}
