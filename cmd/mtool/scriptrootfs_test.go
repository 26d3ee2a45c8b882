package main

import (
	"encoding/json"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// rootfs REF PLATFORM [OPTION...] ENTRY... [-- ENTRY...]: makes an image with these layers, the lowest first. An ENTRY
// is as in registrytest.LayerTar: 'elf usr/bin/app arm64'. Options, with commas in lists: entrypoint=A,B cmd=A,B
// env=A,B health=A,B workdir=DIR label=KEY=VALUE annotation=KEY=VALUE origin=LINE (of the history, one for each layer)
// sizeoff=N packing=none|zstd|foreign|encrypted|estargz|zstd:chunked.
func cmdRootfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: rootfs REF PLATFORM [OPTION...] ENTRY... [-- ENTRY...]")
	}
	s := registrytest.ImageSpec{Platform: mustPlatform(ts, args[1]), Files: [][]string{nil}, Labels: map[string]string{}}
	for _, word := range args[2:] {
		top := len(s.Files) - 1
		key, value, isOption := strings.Cut(word, "=")
		switch {
		case word == "--":
			s.Files = append(s.Files, nil)
		case isOption && !strings.Contains(key, " "):
			rootfsOption(ts, &s, key, value)
		default:
			s.Files[top] = append(s.Files[top], word)
		}
	}
	put(ts, args[0], registrytest.Image(s))
}

func rootfsOption(ts *testscript.TestScript, s *registrytest.ImageSpec, key, value string) {
	switch key {
	case "entrypoint":
		s.Entrypoint = strings.Split(value, ",")
	case "cmd":
		s.Cmd = strings.Split(value, ",")
	case "env":
		s.Env = strings.Split(value, ",")
	case "health":
		s.Health = strings.Split(value, ",")
	case "workdir":
		s.WorkingDir = value
	case "label":
		name, text, _ := strings.Cut(value, "=")
		s.Labels[name] = text
	case "annotation":
		name, text, _ := strings.Cut(value, "=")
		s.Annotations = withKey(s.Annotations, name, text)
	case "origin":
		s.Origins = append(s.Origins, value)
	case "sizeoff": // the manifest states N bytes more for each layer
		n, err := strconv.ParseInt(value, 10, 64)
		ts.Check(err)
		s.SizeOff = n
	case "packing":
		s.Packing = value
	default:
		ts.Fatalf("unknown option %q", key)
	}
}

// corrupt REF: flips a bit in the middle of the top layer of the image at REF, in a registry of this script.
func cmdCorrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: corrupt REF")
	}
	ref, err := registry.ParseRef(args[0])
	ts.Check(err)
	m, err := remote.NewClient(remote.Options{}).Repository(ref, remote.Pull).Resolve(background(), ref)
	ts.Check(err)
	var image struct{ Layers []v1.Descriptor }
	ts.Check(json.Unmarshal(m.Body, &image))
	for _, server := range serversOf(ts).byName {
		if server.Host() == ref.Host {
			server.Corrupt(ref.Repo, image.Layers[len(image.Layers)-1].Digest)
			return
		}
	}
	ts.Fatalf("%s is in no registry of this script", ref)
}
