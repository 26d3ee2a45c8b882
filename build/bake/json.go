package bake

import (
	"encoding/json"
	"maps"
	"strings"
)

// MarshalJSON writes a resolved target as docker buildx bake --print does: text that HCL would expand is escaped.
func (t *Target) MarshalJSON() ([]byte, error) {
	type plain Target
	c := plain(*t)
	c.Annotations = nil
	for _, a := range t.Annotations {
		c.Annotations = append(c.Annotations, escape(a))
	}
	if t.DockerfileInline != nil {
		text := escape(*t.DockerfileInline)
		c.DockerfileInline = &text
	}
	c.Args, c.Labels, c.ExtraHosts = escapeAll(t.Args), escapeAll(t.Labels), escapeAll(t.ExtraHosts)
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	for _, k := range t.kinds() {
		if entries := k.members(); len(entries) > 0 {
			members[k.key] = entries
		}
	}
	return json.Marshal(members)
}

func escape(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

func escapeAll(all map[string]*string) map[string]*string {
	c := maps.Clone(all)
	for key, value := range c {
		if value != nil {
			text := escape(*value)
			c[key] = &text
		}
	}
	return c
}

// MarshalJSON writes the plan as a bake file.
func (p Plan) MarshalJSON() ([]byte, error) {
	targets := map[string]*Target{}
	for _, t := range p.Targets {
		targets[t.Name] = t
	}
	return json.Marshal(map[string]any{"group": p.Groups, "target": targets})
}
