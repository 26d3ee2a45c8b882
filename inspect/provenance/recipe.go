package provenance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"mtool/registry"
)

// Recipe is what provenance of mode=max states about a request to BuildKit.
type Recipe struct {
	Context    string            // a Git address with its commit; "" if the context was not fetched, or is not stated
	Dockerfile string            // its path in the context; "" if not stated
	Args       map[string]string // of the frontend: build-arg:KEY, label:KEY, target …
	Bases      map[string]string // the digest of each image that was read by a tag, by its name; "" if there were several
	Whole      bool              // mode=max; else arguments and steps are left out
}

// Recipe parses the predicate of provenance. The error wraps registry.ErrContent.
func (s Statement) Recipe() (Recipe, error) {
	var p predicate
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		return Recipe{}, fmt.Errorf("%w: its predicate can't be read: %w", registry.ErrContent, err)
	}
	b, err := s.Build()
	if err != nil {
		return Recipe{}, err
	}
	source, vcs := p.Invocation.Source, p.Metadata.BuildKit.VCS
	r := Recipe{Args: p.Invocation.Parameters.Args, Whole: b.detailed, Bases: bases(b.Materials)}
	if d := p.BuildDefinition; d.BuildType != "" {
		source, vcs = d.ExternalParameters.Source, p.RunDetails.Metadata.BuildKit.VCS
		r.Args = d.ExternalParameters.Request.Args
	}
	r.Dockerfile = source.Path + source.EntryPoint
	switch commit := source.Digest["sha1"]; {
	case commit != "":
		address, fragment, _ := strings.Cut(source.URI, "#")
		_, dir, _ := strings.Cut(fragment, ":")
		r.Context = gitAddress(address, commit, dir)
	case isCommit(vcs["revision"]) && vcs["source"] != "":
		r.Context = gitAddress(vcs["source"], vcs["revision"], strings.Trim(vcs["localdir:context"], "."))
	}
	return r, nil
}

func gitAddress(address, commit, dir string) string {
	address = strings.TrimPrefix(address, "git+")
	if strings.HasPrefix(address, "http") && !strings.HasSuffix(address, ".git") {
		address += ".git"
	}
	if dir != "" {
		dir = ":" + dir
	}
	return address + "#" + commit + dir
}

// isCommit reports whether s is the digest of a commit. A revision with changes that are not committed ends in -dirty.
func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// bases returns the digests of the images among the materials.
// https://github.com/package-url/purl-spec: "pkg:docker/alpine@3.20?platform=linux%2Farm64"
func bases(materials []Material) map[string]string {
	all := map[string]string{}
	for _, m := range materials {
		rest, ok := strings.CutPrefix(m.URI, "pkg:docker/")
		name, query, _ := strings.Cut(rest, "?")
		at := strings.LastIndex(name, "@")
		values, err := url.ParseQuery(query)
		if !ok || at < 0 || err != nil || strings.Contains(values.Get("type"), "attest") {
			continue
		}
		repository, err := url.PathUnescape(name[:at])
		tag, err2 := url.PathUnescape(name[at+1:])
		if digest := m.Digest["sha256"]; err == nil && err2 == nil && digest != "" && !strings.Contains(tag, ":") {
			name = repository + ":" + tag
			if before, seen := all[name]; seen && before != "sha256:"+digest {
				all[name] = ""
				continue
			}
			all[name] = "sha256:" + digest
		}
	}
	return all
}
