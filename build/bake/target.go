package bake

import (
	"maps"
	"slices"
	"strings"
)

// Target is a build. Its values are written as the flags of docker buildx build have them.
// https://docs.docker.com/build/bake/reference/#target
type Target struct {
	Name        string `hcl:"name,label" cty:"name" json:"-"`
	Description string `hcl:"description,optional" cty:"description" json:"description,omitempty"`

	Inherits []string `hcl:"inherits,optional" cty:"inherits" json:"-"` // nothing once it is resolved

	Annotations      []string           `hcl:"annotations,optional" cty:"annotations" json:"annotations,omitempty"`
	Attest           Entries            `hcl:"attest,optional" cty:"attest" json:"-"`
	Context          *string            `hcl:"context,optional" cty:"context" json:"context,omitempty"`
	Contexts         map[string]string  `hcl:"contexts,optional" cty:"contexts" json:"contexts,omitempty"`
	Dockerfile       *string            `hcl:"dockerfile,optional" cty:"dockerfile" json:"dockerfile,omitempty"`
	DockerfileInline *string            `hcl:"dockerfile-inline,optional" cty:"dockerfile-inline" json:"dockerfile-inline,omitempty"`
	Args             map[string]*string `hcl:"args,optional" cty:"args" json:"args,omitempty"`
	Labels           map[string]*string `hcl:"labels,optional" cty:"labels" json:"labels,omitempty"`
	Tags             []string           `hcl:"tags,optional" cty:"tags" json:"tags,omitempty"`
	CacheFrom        Entries            `hcl:"cache-from,optional" cty:"cache-from" json:"-"`
	CacheTo          Entries            `hcl:"cache-to,optional" cty:"cache-to" json:"-"`
	Stage            *string            `hcl:"target,optional" cty:"target" json:"target,omitempty"`
	Secrets          Entries            `hcl:"secret,optional" cty:"secret" json:"-"`
	SSH              Entries            `hcl:"ssh,optional" cty:"ssh" json:"-"`
	Platforms        []string           `hcl:"platforms,optional" cty:"platforms" json:"platforms,omitempty"`
	Outputs          Entries            `hcl:"output,optional" cty:"output" json:"-"`
	Pull             *bool              `hcl:"pull,optional" cty:"pull" json:"pull,omitempty"`
	NoCache          *bool              `hcl:"no-cache,optional" cty:"no-cache" json:"no-cache,omitempty"`
	Network          *string            `hcl:"network,optional" cty:"network" json:"network,omitempty"`
	NoCacheFilter    []string           `hcl:"no-cache-filter,optional" cty:"no-cache-filter" json:"no-cache-filter,omitempty"`
	ShmSize          *string            `hcl:"shm-size,optional" cty:"shm-size" json:"shm-size,omitempty"`
	Ulimits          []string           `hcl:"ulimits,optional" cty:"ulimits" json:"ulimits,omitempty"`
	Call             *string            `hcl:"call,optional" cty:"call" json:"call,omitempty"`
	Entitlements     []string           `hcl:"entitlements,optional" cty:"entitlements" json:"entitlements,omitempty"`
	ExtraHosts       map[string]*string `hcl:"extra-hosts,optional" cty:"extra-hosts" json:"extra-hosts,omitempty"`

	// Needed is set if only other targets need this one: it keeps no image and makes no output.
	Needed bool `json:"-"`
}

// Group is a name for several targets, or groups.
type Group struct {
	Name        string   `hcl:"name,label" cty:"name" json:"-"`
	Description string   `hcl:"description,optional" cty:"description" json:"description,omitempty"`
	Targets     []string `hcl:"targets" cty:"targets" json:"targets"`
}

// Merge sets what other sets. Some lists grow, others are replaced, as with docker buildx bake. The parser calls it by
// its name, for blocks of one name.
func (t *Target) Merge(other *Target) {
	for _, field := range []struct{ mine, other **string }{
		{&t.Context, &other.Context},
		{&t.Dockerfile, &other.Dockerfile},
		{&t.DockerfileInline, &other.DockerfileInline},
		{&t.Stage, &other.Stage},
		{&t.Network, &other.Network},
		{&t.ShmSize, &other.ShmSize},
		{&t.Call, &other.Call},
	} {
		replace(field.mine, *field.other)
	}
	replace(&t.Pull, other.Pull)
	replace(&t.NoCache, other.NoCache)
	t.Args, t.Labels = mergeMaps(t.Args, other.Args), mergeMaps(t.Labels, other.Labels)
	t.ExtraHosts = mergeMaps(t.ExtraHosts, other.ExtraHosts)
	if other.Contexts != nil {
		t.Contexts = maps.Clone(t.Contexts)
		if t.Contexts == nil {
			t.Contexts = map[string]string{}
		}
		maps.Copy(t.Contexts, other.Contexts)
	}
	replaceList(&t.Tags, other.Tags)
	replaceList(&t.Platforms, other.Platforms)
	replaceList(&t.CacheTo, other.CacheTo)
	replaceList(&t.Outputs, other.Outputs)
	add(&t.Annotations, other.Annotations)
	add(&t.Attest, other.Attest)
	add(&t.Secrets, other.Secrets)
	add(&t.SSH, other.SSH)
	add(&t.CacheFrom, other.CacheFrom)
	add(&t.NoCacheFilter, other.NoCacheFilter)
	add(&t.Ulimits, other.Ulimits)
	add(&t.Entitlements, other.Entitlements)
	add(&t.Inherits, other.Inherits)
	if other.Description != "" {
		t.Description = other.Description
	}
}

func replace[T any](mine **T, other *T) {
	if other != nil {
		*mine = other
	}
}

func replaceList[S ~[]string](mine *S, other S) {
	if other != nil {
		*mine = slices.Clone(other)
	}
}

func add[S ~[]string](mine *S, other S) { *mine = append(slices.Clip(*mine), other...) }

// mergeMaps returns a with the values of b that are set.
func mergeMaps(a, b map[string]*string) map[string]*string {
	if b == nil {
		return a
	}
	all := map[string]*string{}
	maps.Copy(all, a)
	for key, value := range b {
		if value != nil {
			all[key] = value
		}
	}
	return all
}

// normalize removes what is empty or there twice.
func (t *Target) normalize() error {
	for _, list := range []*[]string{
		&t.Annotations, &t.Tags, &t.Platforms, &t.NoCacheFilter, &t.Ulimits,
	} {
		*list = unique(*list)
	}
	if t.Network != nil && *t.Network == "host" {
		t.Entitlements = append(t.Entitlements, "network.host")
	}
	t.Entitlements = unique(t.Entitlements)
	maps.DeleteFunc(t.Contexts, func(_, place string) bool { return place == "" })
	for _, kind := range t.kinds() {
		if err := kind.normalize(t.Name); err != nil {
			return err
		}
	}
	return nil
}

func unique(all []string) []string {
	var left []string
	for _, s := range all {
		if s != "" && !slices.Contains(left, s) {
			left = append(left, s)
		}
	}
	return left
}

// Links returns the names of the targets that contexts name, sorted.
func (t *Target) Links() []string {
	var all []string
	for _, place := range t.Contexts {
		if name, ok := strings.CutPrefix(place, linkScheme); ok && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// linkScheme begins a context that is another target.
const linkScheme = "target:"
