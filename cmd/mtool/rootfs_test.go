package main

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/registry/registrytest"
)

// rootfs REF PLATFORM [OPTION...] ENTRY... [-- ENTRY...]: makes an image whose layers, the lowest first and parted by --, have
// these entries: 'elf usr/bin/app arm64', as registrytest.LayerTar takes them. Options, in which commas part the words of a
// list: entrypoint=A,B cmd=A,B env=A,B workdir=DIR label=KEY=VALUE annotation=KEY=VALUE origin=LINE
// (of the history, one for each layer) packing=none|zstd|foreign|encrypted|estargz|zstd:chunked.
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
	case "packing":
		s.Packing = value
	default:
		ts.Fatalf("unknown option %q", key)
	}
}
