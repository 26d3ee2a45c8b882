package bake

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mtool/registry"
)

// Here begins paths below the directory in which the command runs.
const Here = "cwd://"

// Request is a target in the words of the flags of mtool build.
type Request struct {
	Context, Dockerfile, Inline, Stage string
	Tags, Platforms, Args, Labels      []string
	Contexts, Secrets, SSH, Hosts      []string
	Annotations, Outputs               []string
	CacheFrom, CacheTo, NoCacheStages  []string
	Ulimits, Entitlements              []string
	Network, ShmSize, Provenance, SBOM string
	NoCache, Pull                      bool
	Links                              map[string]string // contexts that are other targets, by the context's name
}

// Request returns what is to be built. What a build has no flag for is an error.
func (t *Target) Request() (r Request, err error) {
	r = Request{
		Context: local(text(t.Context)), Dockerfile: text(t.Dockerfile), Inline: text(t.DockerfileInline),
		Stage: text(t.Stage), Tags: t.Tags, Platforms: t.Platforms, Args: pairs(t.Args), Labels: pairs(t.Labels),
		SSH: t.SSH, Hosts: pairs(t.ExtraHosts), Outputs: t.Outputs, CacheFrom: t.CacheFrom, CacheTo: t.CacheTo,
		NoCacheStages: t.NoCacheFilter, Ulimits: t.Ulimits, Entitlements: t.Entitlements, Network: text(t.Network),
		ShmSize: text(t.ShmSize), NoCache: t.NoCache != nil && *t.NoCache, Pull: t.Pull != nil && *t.Pull,
		Secrets: t.Secrets, Links: map[string]string{},
	}
	if call := text(t.Call); call != "" && call != "build" {
		return r, registry.Usagef("call is %q, and bake only builds", call)
	}
	if r.Context == "-" || r.Dockerfile == "-" {
		return r, registry.Usagef("a target can't be read from standard input")
	}
	if r.Network == "" {
		r.Network = "default"
	}
	for _, name := range slices.Sorted(maps.Keys(t.Contexts)) {
		if target, ok := strings.CutPrefix(t.Contexts[name], linkScheme); ok {
			r.Links[name] = target
			continue
		}
		r.Contexts = append(r.Contexts, name+"="+local(t.Contexts[name]))
	}
	r.keepNothing(t.Needed)
	if r.Annotations, err = annotations(t.Annotations); err != nil {
		return r, err
	}
	return r, r.attest(t.Attest)
}

// keepNothing makes no image if the outputs ask for none, or nothing has a name.
func (r *Request) keepNothing(needed bool) {
	only := len(r.Outputs) > 0 && !slices.ContainsFunc(r.Outputs, func(o string) bool { return o != "type=cacheonly" })
	if needed || only {
		r.Tags = nil
	}
	if len(r.Tags) == 0 && len(r.Outputs) == 0 {
		r.Outputs = []string{"type=cacheonly"}
	}
}

// FilePath returns the path of the Dockerfile, which is in the context unless it is absolute.
func (r Request) FilePath() string {
	if below, ok := strings.CutPrefix(r.Dockerfile, Here); ok {
		return local(Here + below)
	}
	if filepath.IsAbs(r.Dockerfile) {
		return r.Dockerfile
	}
	return filepath.Join(r.Context, r.Dockerfile)
}

// local returns a path without the scheme of this directory.
func local(place string) string {
	below, ok := strings.CutPrefix(place, Here)
	if !ok {
		return place
	}
	return filepath.Clean(below)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// pairs returns KEY=VALUE, sorted, without those that are not set.
func pairs(all map[string]*string) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if all[key] != nil {
			list = append(list, key+"="+*all[key])
		}
	}
	return list
}

// annotations writes those for several places one by one. Places are written manifest,index:KEY=VALUE.
func annotations(all []string) (list []string, err error) {
	for _, a := range all {
		key, value, ok := strings.Cut(a, "=")
		places, name, placed := strings.Cut(key, ":")
		switch {
		case !ok:
			return nil, registry.Usagef("annotation %q is not KEY=VALUE", a)
		case !placed || !regexp.MustCompile(`^[a-z-]+(\[.*\])?(,[a-z-]+(\[.*\])?)*$`).MatchString(places):
			list = append(list, a)
			continue
		}
		for place := range strings.SplitSeq(places, ",") {
			if place != "manifest" && place != "index" {
				return nil, registry.Usagef("annotation %q is for %q, and only manifest and index have annotations here", a, place)
			}
			list = append(list, place+":"+name+"="+value)
		}
	}
	return list, nil
}

// attest sets provenance and SBOM.
func (r *Request) attest(all Entries) error {
	r.Provenance = "false"
	for _, entry := range all {
		members, err := parseAttest(entry)
		if err != nil {
			return registry.Usagef("attest %q: %w", entry, err)
		}
		if members["disabled"] == true {
			continue
		}
		values := map[string]string{}
		for key, value := range members {
			if key != "type" {
				values[key], _ = value.(string)
			}
		}
		value := joinFields(values)
		switch members["type"] {
		case "provenance":
			r.Provenance = value
			if value == "" {
				r.Provenance = "true"
			}
		case "sbom":
			r.SBOM = value
			if value == "" {
				r.SBOM = "true"
			}
		default:
			return registry.Usagef("attest %q: the type is neither provenance nor sbom", entry)
		}
	}
	return nil
}
