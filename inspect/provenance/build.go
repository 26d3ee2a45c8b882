package provenance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Build is what provenance states about how an image was built; what it does not state is empty.
type Build struct {
	Builder   string        // the builder: a URL
	Type      string        // how to read the rest: a URL
	On        string        // the platform of the machine that built it, as written
	For       []v1.Platform // the requested platforms; BuildKit leaves them out
	Materials []Material    // base images, sources
	Base      *Base         // the base of its last stage; nil: none, or not stated (mode=min)
	detailed  bool          // it lists every operation
}

// Material is an input of a build.
type Material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// parameters are those of a request to BuildKit.
type parameters struct {
	Args map[string]string `json:"args"`
}

// metadata is BuildKit's own.
type metadata struct {
	VCS map[string]string `json:"vcs"`
}

// configSource is a context that BuildKit fetched.
type configSource struct {
	Material
	Path       string `json:"path"`
	EntryPoint string `json:"entryPoint"` // SLSA 0.2
}

// predicate reads SLSA 0.2 and 1 as BuildKit writes them; their members have different names.
// https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md
type predicate struct {
	// SLSA 0.2: https://slsa.dev/spec/v0.2/provenance
	Builder   struct{ ID string } `json:"builder"`
	BuildType string              `json:"buildType"`
	Materials []Material          `json:"materials"`
	Metadata  struct {
		BuildKit metadata `json:"https://mobyproject.org/buildkit@v1#metadata"`
	} `json:"metadata"`
	Invocation struct {
		Source      configSource `json:"configSource"`
		Parameters  parameters   `json:"parameters"`
		Environment struct {
			Platform string `json:"platform"`
		} `json:"environment"`
	} `json:"invocation"`
	BuildConfig steps `json:"buildConfig"`
	// SLSA 1: https://slsa.dev/spec/v1.0/provenance
	BuildDefinition struct {
		BuildType          string     `json:"buildType"`
		Dependencies       []Material `json:"resolvedDependencies"`
		ExternalParameters struct {
			Source  configSource `json:"configSource"`
			Request parameters   `json:"request"`
		} `json:"externalParameters"`
		InternalParameters struct {
			BuilderPlatform string `json:"builderPlatform"`
			BuildConfig     steps  `json:"buildConfig"`
		} `json:"internalParameters"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder  struct{ ID string } `json:"builder"`
		Metadata struct {
			BuildKit metadata `json:"buildkit_metadata"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

// Build parses the predicate of provenance. The error wraps registry.ErrContent.
func (s Statement) Build() (Build, error) {
	var p predicate
	if err := json.Unmarshal(s.Predicate, &p); err != nil {
		return Build{}, fmt.Errorf("%w: its predicate can't be read: %w", registry.ErrContent, err)
	}
	b := Build{Builder: p.Builder.ID, Type: p.BuildType, On: p.Invocation.Environment.Platform, Materials: p.Materials}
	args, config := p.Invocation.Parameters.Args, p.BuildConfig
	if d := p.BuildDefinition; d.BuildType != "" {
		b = Build{
			Builder: p.RunDetails.Builder.ID, Type: d.BuildType, On: d.InternalParameters.BuilderPlatform,
			Materials: d.Dependencies,
		}
		args, config = d.ExternalParameters.Request.Args, d.InternalParameters.BuildConfig
	}
	b.detailed = len(config.Definition) > 0
	if base, ok := config.base(); ok {
		b.Base = &base
	}
	for name := range strings.SplitSeq(args["platform"], ",") {
		if parsed, err := platform.Parse(name); name != "" && err == nil {
			b.For = append(b.For, parsed)
		}
	}
	return b, nil
}

// from returns the platforms of the images that went into the build, each once.
func (b Build) from() (all []v1.Platform) {
	for _, m := range b.Materials {
		if p, ok := platformOf(m.URI); ok && !slices.ContainsFunc(all, p.Equals) {
			all = append(all, p)
		}
	}
	return all
}

// platformOf returns the platform in a package URL: "pkg:docker/demo@v1?platform=linux%2Farm64".
func platformOf(purl string) (v1.Platform, bool) {
	_, query, ok := strings.Cut(purl, "?")
	if !ok || !strings.HasPrefix(purl, "pkg:") {
		return v1.Platform{}, false
	}
	query, _, _ = strings.Cut(query, "#")
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("platform") == "" {
		return v1.Platform{}, false
	}
	p, err := platform.Parse(values.Get("platform"))
	return p, err == nil
}
