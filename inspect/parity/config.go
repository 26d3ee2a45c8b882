package parity

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

const sourceLabel = "org.opencontainers.image.source"

// statedLabels returns the labels that state the program in an image and its version.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md, http://label-schema.org/rc1
func statedLabels() []string {
	return []string{
		"org.opencontainers.image.version", "org.opencontainers.image.revision", sourceLabel,
		"org.label-schema.version", "org.label-schema.vcs-ref",
	}
}

func labels(sides []side) (all []Difference) {
	for _, name := range statedLabels() {
		label := func(s side) string { return s.details.Labels[name] }
		all = append(all,
			difference(RuleLabel, "label "+name, sides, func(s side) string { return neutral(label(s)) }, label)...)
	}
	return all
}

// config compares the settings with which a container is started.
func config(sides []side) (all []Difference) {
	add := func(what string, value func(side) string) {
		all = append(all, difference(RuleConfig, what, sides, func(s side) string { return neutral(value(s)) }, value)...)
	}
	add("base", func(s side) string { return s.Image.Base().Name })
	add("entrypoint", func(s side) string { return strings.Join(s.details.Entrypoint, " ") })
	add("command", func(s side) string { return strings.Join(s.details.Cmd, " ") })
	add("user", func(s side) string { return s.details.User })
	add("working directory", func(s side) string { return s.details.WorkingDir })
	add("ports", func(s side) string { return joinKeys(s.details.Ports) })
	add("volumes", func(s side) string { return joinKeys(s.details.Volumes) })
	for _, name := range variables(sides) {
		value := func(s side) string { return variable(s, name) }
		sums := func(s side) string {
			if isSum(value(s)) {
				return "a checksum"
			}
			return neutral(value(s))
		}
		all = append(all, difference(RuleConfig, "variable "+name, sides, sums, value)...)
	}
	return all
}

func joinKeys(m map[string]json.RawMessage) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}

// variables returns the names of all variables, sorted.
func variables(sides []side) []string {
	names := map[string]bool{}
	for _, s := range sides {
		for _, line := range s.details.Env {
			name, _, _ := strings.Cut(line, "=")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// variable returns the value of a variable; NAME= if it is empty.
func variable(s side, name string) string {
	for _, line := range slices.Backward(s.details.Env) {
		if have, value, _ := strings.Cut(line, "="); have == name {
			if value == "" {
				return name + "="
			}
			return value
		}
	}
	return ""
}

// isSum reports whether a value looks like a checksum, which differs between the downloads for each architecture.
func isSum(value string) bool {
	const shortest = 32 // of MD5
	return len(value) >= shortest && strings.Trim(strings.ToLower(value), "0123456789abcdef") == ""
}
