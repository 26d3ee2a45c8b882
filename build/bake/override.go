package bake

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"mtool/registry"
)

// override is one --set, for one target.
type override struct {
	text   string // as given
	key    string
	member string // of a map
	values []string
	grow   bool // add to a list, rather than replace it
}

// overrides reads TARGET.KEY[.MEMBER][+]=VALUE. Values for one list of a target make one list.
// https://docs.docker.com/reference/cli/docker/buildx/bake/#set
func (c config) overrides(o Options) (map[string][]override, error) {
	all := map[string][]override{}
	for _, text := range o.Set {
		pattern, one, err := parseOverride(text, o.Env)
		if err != nil {
			return nil, err
		}
		if one.values == nil { // an argument from the environment that is not set
			continue
		}
		found := false
		for _, t := range c.Targets {
			if ok, err := path.Match(pattern, t.Name); err != nil || !ok {
				continue
			}
			found = true
			all[t.Name] = addOverride(all[t.Name], one)
		}
		if !found {
			return nil, registry.Usagef("override %q: there is no target %q", text, pattern)
		}
	}
	extra := override{key: "output", grow: true}
	for _, t := range c.Targets {
		if o.Push {
			all[t.Name] = append(all[t.Name], override{key: "push"})
		}
		if o.Load {
			extra.values = []string{"type=docker"}
			all[t.Name] = append(all[t.Name], extra)
		}
	}
	return all, nil
}

func addOverride(all []override, one override) []override {
	i := slices.IndexFunc(all, func(o override) bool { return o.key == one.key && o.member == one.member })
	if i < 0 {
		return append(all, one)
	}
	if one.isList() && one.values[0] != "" {
		one.values = append(slices.Clip(all[i].values), one.values...)
		one.grow = one.grow && all[i].grow
	}
	all[i] = one
	return all
}

// singular are other spellings of keys.
func singular(key string) string {
	switch key {
	case "annotations", "args", "entitlements", "extra-hosts", "labels", "platforms", "tags", "ulimits", "secrets":
		return strings.TrimSuffix(key, "s")
	}
	return key
}

const (
	listKeys = "output cache-to cache-from tag platform ssh attest entitlement annotation ulimit no-cache-filter secret"
	mapKeys  = "arg contexts label extra-host"
	textKeys = "context dockerfile dockerfile-inline target call no-cache shm-size network pull"
)

func (o override) isList() bool { return slices.Contains(strings.Fields(listKeys), o.key) }

func parseOverride(text string, env func(string) (string, bool)) (pattern string, o override, err error) {
	key, value, given := strings.Cut(text, "=")
	o = override{text: text, grow: strings.HasSuffix(key, "+")}
	parts := strings.SplitN(strings.TrimSuffix(key, "+"), ".", 3)
	if len(parts) < 2 || parts[0] == "" {
		return "", o, registry.Usagef("override %q is not TARGET.KEY=VALUE", text)
	}
	o.key = singular(parts[1])
	if len(parts) == 3 {
		o.member = parts[2]
	}
	if err := o.check(parts); err != nil {
		return "", o, err
	}
	switch {
	case given:
		o.values = []string{value}
	case o.key != "arg":
		return "", o, registry.Usagef("override %q is not TARGET.KEY=VALUE", text)
	case env != nil:
		if value, ok := env(o.member); ok {
			o.values = []string{value}
		}
	}
	return parts[0], o, nil
}

// check refuses keys that no target has, and names of members where they don't belong. parts are target, key and
// member.
func (o override) check(parts []string) error {
	isMap := slices.Contains(strings.Fields(mapKeys), o.key)
	switch {
	case !isMap && !o.isList() && !slices.Contains(strings.Fields(textKeys), o.key):
		return registry.Usagef("override %q: %q is none of %s", o.text, parts[1],
			strings.Join(strings.Fields(listKeys+" "+mapKeys+" "+textKeys), ", "))
	case isMap && o.member == "":
		return registry.Usagef("override %q: %s needs a name: %s.%s.NAME=VALUE", o.text, o.key, parts[0], o.key)
	case !isMap && o.member != "":
		return registry.Usagef("override %q: %s has no members", o.text, o.key)
	case o.grow && !o.isList():
		return registry.Usagef("override %q: %s is no list, so nothing can be added", o.text, o.key)
	}
	return nil
}

// apply sets one value of a target.
func (o override) apply(t *Target) error {
	if o.key == "push" {
		t.push()
		return nil
	}
	value := o.values[len(o.values)-1]
	if list := o.list(t); list != nil {
		o.applyList(list)
		return nil
	}
	if text := o.textOf(t); text != nil {
		*text = &value
		return nil
	}
	switch o.key {
	case "arg":
		t.Args = mergeMaps(t.Args, map[string]*string{o.member: &value})
	case "label":
		t.Labels = mergeMaps(t.Labels, map[string]*string{o.member: &value})
	case "extra-host":
		t.ExtraHosts = mergeMaps(t.ExtraHosts, map[string]*string{o.member: &value})
	case "contexts":
		t.Merge(&Target{Contexts: map[string]string{o.member: value}})
	default:
		return o.applyBool(t, value)
	}
	return nil
}

func (o override) applyBool(t *Target, value string) error {
	yes, err := strconv.ParseBool(value)
	if err != nil {
		return registry.Usagef("override %q: %q is neither true nor false", o.text, value)
	}
	if o.key == "pull" {
		t.Pull = &yes
	} else {
		t.NoCache = &yes
	}
	return nil
}

// textOf returns the text that the key names.
func (o override) textOf(t *Target) **string {
	return map[string]**string{
		"context": &t.Context, "dockerfile": &t.Dockerfile, "dockerfile-inline": &t.DockerfileInline, "target": &t.Stage,
		"call": &t.Call, "shm-size": &t.ShmSize, "network": &t.Network,
	}[o.key]
}

// list returns the list that the key names.
func (o override) list(t *Target) *[]string {
	return map[string]*[]string{
		"output": (*[]string)(&t.Outputs), "cache-to": (*[]string)(&t.CacheTo), "cache-from": (*[]string)(&t.CacheFrom),
		"ssh": (*[]string)(&t.SSH), "attest": (*[]string)(&t.Attest), "secret": (*[]string)(&t.Secrets),
		"tag": &t.Tags, "platform": &t.Platforms, "entitlement": &t.Entitlements, "annotation": &t.Annotations,
		"ulimit": &t.Ulimits, "no-cache-filter": &t.NoCacheFilter,
	}[o.key]
}

// applyList replaces the list, or adds to it: annotations, attestations and entitlements always grow. An empty value
// clears it.
func (o override) applyList(list *[]string) {
	clears := o.values[0] == "" && !o.grow
	grows := o.grow || slices.Contains([]string{"annotation", "attest", "entitlement"}, o.key)
	if clears || !grows {
		*list = nil
	}
	for _, value := range o.values {
		if value != "" {
			*list = append(slices.Clip(*list), value)
		}
	}
}

// push makes the outputs push. A target with none, or only with files for Docker, gets one that does.
func (t *Target) push() {
	pushes := false
	for i, text := range t.Outputs {
		members, err := parseOutput(text)
		if err != nil { // normalize reports it
			continue
		}
		pushes = pushes || members["type"] != "docker"
		if members["type"] == "image" {
			all := map[string]string{"push": "true"}
			for key, value := range members {
				if key != "push" {
					all[key], _ = value.(string)
				}
			}
			t.Outputs[i] = joinFields(all)
		}
	}
	if !pushes {
		t.Outputs = append(slices.Clip(t.Outputs), "type=image,push=true")
	}
}
