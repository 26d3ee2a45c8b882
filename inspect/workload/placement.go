package workload

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// placement are the constraints by which a Swarm places a service, as far as they are about platforms, in the words that
// Kubernetes has for them: https://docs.docker.com/reference/cli/docker/service/create/#constraint
func (r *reader) placement(what string, s *node) (all []requirement, err error) {
	for _, n := range s.get("deploy", "placement", "constraints").all() {
		key, err := r.filled(what, n)
		if err != nil {
			return nil, err
		}
		value, operator := "", "In"
		if before, after, ok := strings.Cut(key, "!="); ok {
			key, value, operator = before, after, "NotIn"
		} else if before, after, ok := strings.Cut(key, "=="); ok {
			key, value = before, after
		} else {
			return nil, errorf(n.in(r.file), n.at(), "%s: %q is no constraint: == or != is wanted", what, key)
		}
		if label, word := constraint(key, value); label != "" {
			all = append(all, requirement{key: label, operator: operator, values: []string{word}})
		}
	}
	return all, nil
}

// constraint is the label and the value that Kubernetes has for those of Swarm, whose nodes call themselves x86_64 and
// aarch64; "" for what is not about platforms.
func constraint(key, value string) (label, word string) {
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(key)) {
	case "node.platform.arch":
		return archLabel, platform.Normalize(v1.Platform{OS: "linux", Architecture: value}).Architecture
	case "node.platform.os":
		return osLabel, platform.Normalize(v1.Platform{OS: value}).OS
	}
	return "", ""
}
