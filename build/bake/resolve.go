package bake

import (
	"maps"
	"path"
	"slices"
	"strings"

	"mtool/registry"
)

// Options say what is asked of the files. The zero value means the target or group "default", as it is written.
type Options struct {
	Targets  []string                    // names and patterns of targets and groups
	Set      []string                    // overrides: TARGET.KEY[+]=VALUE
	Vars     map[string]string           // variables that win over Env
	Env      func(string) (string, bool) // the environment; nil: nothing
	Defaults map[string]string           // variables that every file has, such as BAKE_LOCAL_PLATFORM
	Push     bool                        // add an output that pushes to each target
	Load     bool                        // add an output that loads into Docker Engine
}

// Plan is what to build.
type Plan struct {
	Targets []*Target // each after those that it needs
	Groups  map[string]*Group
}

// Read resolves the files.
func Read(files []File, o Options) (plan Plan, err error) {
	c, err := parse(files, o)
	if err != nil {
		return plan, err
	}
	r := resolver{config: c, files: names(files), done: map[string]*Target{}, groups: map[string]*Group{}}
	if r.overrides, err = c.overrides(o); err != nil {
		return plan, err
	}
	asked := o.Targets
	if len(asked) == 0 {
		asked = []string{defaultName}
	}
	return r.plan(asked)
}

// defaultName is what is built if nothing is named.
const defaultName = "default"

type resolver struct {
	config
	files     string
	overrides map[string][]override // by target
	done      map[string]*Target
	groups    map[string]*Group
	ordered   []*Target
}

func (r *resolver) plan(asked []string) (Plan, error) {
	var top, wanted []string
	for _, pattern := range asked {
		names, err := r.match(strings.ReplaceAll(pattern, ".", "_"))
		if err != nil {
			return Plan{}, err
		}
		top = append(top, names...)
	}
	for _, name := range top {
		targets, err := r.members(name, nil)
		if err != nil {
			return Plan{}, err
		}
		wanted = append(wanted, targets...)
	}
	for _, name := range unique(wanted) {
		if err := r.order(name, nil); err != nil {
			return Plan{}, err
		}
	}
	for _, t := range r.ordered {
		if t.Needed = !slices.Contains(wanted, t.Name); t.Needed {
			t.Outputs = Entries{"type=cacheonly"}
		}
	}
	r.nameDefault(top)
	return Plan{Targets: r.ordered, Groups: r.groups}, nil
}

// nameDefault makes a group of what was asked for, as docker buildx bake --print does.
func (r *resolver) nameDefault(top []string) {
	g := &Group{Name: defaultName}
	if old := r.groups[defaultName]; old != nil {
		*g = *old
	}
	for _, name := range top {
		if name != defaultName || r.groups[defaultName] == nil {
			g.Targets = append(slices.Clip(g.Targets), name)
		}
	}
	g.Targets = unique(g.Targets)
	slices.Sort(g.Targets)
	r.groups[defaultName] = g
}

// match returns the targets and groups that a pattern means.
func (r *resolver) match(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, "*?[]") {
		return []string{pattern}, nil
	}
	var all []string
	for _, name := range r.names() {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return nil, r.unknown(pattern)
	}
	return all, nil
}

// names returns the names of all groups and targets.
func (c config) names() (all []string) {
	for _, g := range c.Groups {
		all = append(all, g.Name)
	}
	for _, t := range c.Targets {
		all = append(all, t.Name)
	}
	return unique(all)
}

func (r *resolver) unknown(name string) error {
	all := r.names()
	slices.Sort(all)
	return registry.Usagef("there is no target or group %q in %s: %s", name, r.files, strings.Join(all, ", "))
}

// members returns the targets of a group, at any depth, or the name itself.
func (r *resolver) members(name string, through []string) ([]string, error) {
	g := r.group(name)
	if g == nil {
		return []string{name}, nil
	}
	through, err := follow("group", through, name)
	if err != nil {
		return nil, err
	}
	r.groups[name] = &Group{Name: name, Description: g.Description, Targets: unique(g.Targets)}
	var all []string
	for _, member := range g.Targets {
		if member == name && r.target(name) != nil { // a target of the group's name
			all = append(all, name)
			continue
		}
		targets, err := r.members(member, through)
		if err != nil {
			return nil, err
		}
		all = append(all, targets...)
	}
	return unique(all), nil
}

// follow adds a name to the way by which it was reached, on which it must not be yet.
func follow(what string, through []string, name string) ([]string, error) {
	next := append(slices.Clip(through), name)
	if i := slices.Index(through, name); i >= 0 {
		return nil, registry.Usagef("%s %q leads back to itself: %s", what, name, strings.Join(next[i:], " -> "))
	}
	return next, nil
}

func (c config) group(name string) *Group {
	if i := slices.IndexFunc(c.Groups, func(g *Group) bool { return g.Name == name }); i >= 0 {
		return c.Groups[i]
	}
	return nil
}

func (c config) target(name string) *Target {
	if i := slices.IndexFunc(c.Targets, func(t *Target) bool { return t.Name == name }); i >= 0 {
		return c.Targets[i]
	}
	return nil
}

// order resolves a target and adds it after those that its contexts name.
func (r *resolver) order(name string, through []string) error {
	through, err := follow("target", through, name)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(r.ordered, func(t *Target) bool { return t.Name == name }) {
		return nil
	}
	t, err := r.resolve(name)
	if err != nil {
		return err
	}
	for _, needed := range t.Links() {
		if err := r.order(needed, through); err != nil {
			return err
		}
		base := r.done[needed]
		t.Entitlements = unique(append(t.Entitlements, base.Entitlements...))
		for _, p := range t.Platforms {
			if len(t.Platforms) > 1 && len(base.Platforms) > 1 && !slices.Contains(base.Platforms, p) {
				return registry.Usagef("target %q needs target %q for %s, which is built only for %s", name, needed, p,
					strings.Join(base.Platforms, ", "))
			}
		}
	}
	r.ordered = append(r.ordered, t)
	return nil
}

// resolve returns a target with defaults and everything that it inherits.
func (r *resolver) resolve(name string) (*Target, error) {
	if t := r.done[name]; t != nil {
		return t, nil
	}
	t, err := r.inherit(name, nil)
	if err != nil {
		return nil, err
	}
	t.Inherits = nil
	if t.Context == nil {
		here := "."
		t.Context = &here
	}
	if t.Dockerfile == nil || *t.Dockerfile == "" {
		file := "Dockerfile"
		t.Dockerfile = &file
	}
	r.done[name] = t
	return t, nil
}

func (r *resolver) inherit(name string, through []string) (*Target, error) {
	through, err := follow("target", through, name)
	if err != nil {
		return nil, err
	}
	own := r.target(name)
	if own == nil {
		return nil, r.unknown(name)
	}
	if len(through) > maxDepth {
		return nil, registry.Usagef("target %q inherits through more than %d others", through[0], maxDepth)
	}
	t := &Target{Name: name}
	for _, base := range own.Inherits {
		inherited, err := r.inherit(base, through)
		if err != nil {
			return nil, err
		}
		t.Merge(inherited)
	}
	t.Merge(own)
	t.Contexts = maps.Clone(t.Contexts)
	for _, o := range r.overrides[name] {
		if err := o.apply(t); err != nil {
			return nil, err
		}
	}
	return t, t.normalize()
}

// maxDepth bounds what inherits from each other.
const maxDepth = 100
