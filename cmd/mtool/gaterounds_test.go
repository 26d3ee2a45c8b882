package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry/registrytest"
)

// gate is a registry that counts rounds of requests, with many lists of two images each, and a home for facts.
type gate struct {
	rounds    *rounds
	refs      []string
	home, dir string
}

// newGate returns a gate whose lists share their layers, or each have their own.
func newGate(t *testing.T, lists int, own bool) *gate {
	t.Helper()
	g := &gate{rounds: &rounds{registry: registrytest.New(t, registrytest.Options{})}, home: t.TempDir(), dir: t.TempDir()}
	server := httptest.NewServer(g.rounds)
	t.Cleanup(server.Close)
	for n := range lists {
		name := fmt.Sprintf("app%d", n)
		files := []string{}
		if own {
			files = append(files, "text "+name)
		}
		var images []registrytest.Built
		for _, arch := range []string{"amd64", "arm64"} {
			images = append(images, registrytest.Image(registrytest.ImageSpec{
				Platform: v1.Platform{OS: "linux", Architecture: arch}, Entrypoint: []string{"/app"},
				Files: [][]string{append(files, "elf app "+arch)}, Labels: map[string]string{"name": name},
			}))
		}
		g.rounds.registry.Load(name, "v1", registrytest.ListOf(images...))
		g.refs = append(g.refs, server.Listener.Addr().String()+"/"+name+":v1")
	}
	return g
}

// run runs mtool and returns its requests.
func (g *gate) run(t *testing.T, args ...string) [][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mtool", append([]string{"inspect"}, args...)...)
	cmd.Env = append(os.Environ(), "MTOOL_HOME="+g.home, "HOME="+g.home, "DOCKER_CONFIG="+g.home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return g.rounds.take()
}

// file writes a deployment that uses these references.
func (g *gate) file(t *testing.T, refs []string) string {
	t.Helper()
	text := "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
	for _, ref := range refs {
		text += "  - {image: '" + ref + "'}\n"
	}
	path := filepath.Join(g.dir, fmt.Sprintf("%d.yaml", len(refs)))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGateRounds checks that a file with many references takes no more rounds than a file with one. The second check
// reads no layer and makes the same requests as a check of the claims.
func TestGateRounds(t *testing.T) {
	t.Parallel()
	const lists, images, claimRounds = 20, 2, 3
	g := newGate(t, lists, false)
	all := g.file(t, g.refs)
	first := slices.Concat(g.run(t, "-f", all, "--require", "linux/amd64,linux/arm64")...)
	if n := len(first); n > lists*(2*images+1)+images {
		t.Errorf("%d requests for %d references that share their layers", n, lists)
	}
	one := g.run(t, "-f", g.file(t, g.refs[:1]))
	second, claims := g.run(t, "-f", all, "--require", "linux/amd64,linux/arm64"), g.run(t, g.refs...)
	if len(one) > claimRounds || len(second) > len(one) {
		t.Errorf("%d references take %d rounds, one takes %d: %q", lists, len(second), len(one), second)
	}
	if n := len(slices.Concat(second...)); n > lists*(2*images+1) {
		t.Errorf("%d requests for %d references, want %d at most", n, lists, lists*(2*images+1))
	}
	if !slices.EqualFunc(second, claims, slices.Equal) {
		t.Errorf("the second check requests %q, a check of the claims %q", second, claims)
	}
	if n := strings.Count(fmt.Sprint(second), "/blobs/"); n != lists*images {
		t.Errorf("the second check reads %d blobs, want the %d configs", n, lists*images)
	}
}

// The first check of many references also takes as many rounds as that of one, although no layers are shared.
func TestFirstGateRounds(t *testing.T) {
	t.Parallel()
	const lists, images = 20, 2
	g := newGate(t, lists, true)
	one, all := g.run(t, "-f", g.file(t, g.refs[:1]), "--no-facts"), g.run(t, "-f", g.file(t, g.refs))
	if len(all) > len(one) {
		t.Errorf("%d references take %d rounds, one takes %d: %q", lists, len(all), len(one), all)
	}
	if n, want := len(slices.Concat(all...)), lists*(2*images+1+images); n > want {
		t.Errorf("%d requests for %d references, want %d at most: a list, and for each image its manifest, config and layer",
			n, lists, want)
	}
}
