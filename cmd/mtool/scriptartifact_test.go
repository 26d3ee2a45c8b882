package main

import (
	"encoding/json"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"mtool/registry/registrytest"
)

const fileType = "application/vnd.example.file"

// artifact REF TYPE [PLATFORM [SEED]]: makes an artifact at REF, as ORAS does, whose config has PLATFORM. "config=TYPE" is one
// without an artifactType, whose config has that type.
func cmdArtifact(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 4 {
		ts.Fatalf("usage: artifact REF TYPE [PLATFORM [SEED]]")
	}
	var p v1.Platform
	if len(args) > 2 {
		p = spelled(ts, args[2])
	}
	put(ts, args[0], artifact(args[1], p, args[min(3, len(args)):]...))
}

func artifact(kind string, p v1.Platform, seed ...string) registrytest.Built {
	s := registrytest.ArtifactSpec{Type: kind, Layers: []registrytest.ArtifactLayer{
		{MediaType: "application/octet-stream", Data: []byte("the file for " + p.String() + strings.Join(seed, ""))},
	}}
	config, named := strings.CutPrefix(kind, "config=")
	switch {
	case named:
		s.Type = ""
	case p.Architecture != "":
		config = "application/vnd.unknown.config.v1+json"
	default:
		return registrytest.Artifact(s)
	}
	data, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	s.Config = &registrytest.ArtifactLayer{MediaType: config, Data: data}
	return registrytest.Artifact(s)
}

// artifactRow returns the row with an artifact in place of the image, whose config has the platform config.
func artifactRow(e registrytest.Entry, config v1.Platform) registrytest.Entry {
	if e.Claim == nil {
		e.Claim = &v1.Platform{}
		*e.Claim = e.Platform
	}
	e.Built = artifact(fileType, config)
	return e
}
