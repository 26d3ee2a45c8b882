package faults

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/cli"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// matrix holds what the cells share.
type matrix struct {
	Matrix
	home   string
	seed   uint64
	free   chan *registries
	images map[string]registrytest.Built
	dead   string // an address that refuses connections
	tls    string // a registry whose certificate is not trusted
	serial atomic.Int64
	failed tally
}

// registries are used by one cell at a time.
type registries struct{ src, dst, other *registrytest.Server }

// RegistryOptions returns the options of a registry with tokens and a password.
func RegistryOptions() registrytest.Options {
	return registrytest.Options{Token: true, Username: "bob", Password: Canary, IdentityToken: Canary}
}

func (m *matrix) build(t *testing.T) {
	t.Helper()
	hosts := map[string]map[string]string{}
	login := map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte("bob:" + Canary))}
	for range cap(m.free) {
		p := &registries{
			registrytest.New(t, RegistryOptions()), registrytest.New(t, RegistryOptions()),
			registrytest.New(t, registrytest.Options{}),
		}
		hosts[p.src.Host()], hosts[p.dst.Host()] = login, login
		m.free <- p
	}
	gone, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.dead = gone.Host()
	gone.Close()
	m.tls = registrytest.New(t, registrytest.Options{TLS: true}).Host()
	config, err := json.Marshal(map[string]any{"auths": hosts})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(m.home, "docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.home, "docker", "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	m.makeImages(t)
}

// makeImages makes the content of every repository, by tag.
func (m *matrix) makeImages(t *testing.T) {
	t.Helper()
	m.images = map[string]registrytest.Built{}
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		m.images[arch] = registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "linux", Architecture: arch}, Layers: 2, Padding: 3000,
		})
	}
	m.images["v1"] = registrytest.ListOf(m.images["amd64"], m.images["arm64"])
	m.images["v2"] = registrytest.ListOf(m.images["amd64"], m.images["s390x"])
	m.images["attested"] = registrytest.List(registrytest.ListSpec{
		Entries: []registrytest.Entry{{Built: m.images["amd64"]}, {Built: m.images["arm64"]}}, Attested: true,
	})
	m.images["large"] = registrytest.Image(
		registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Padding: 12 << 20})
	m.images["run"] = m.runnable("dir")
	for _, tag := range []string{"v1", "amd64", "arm64"} {
		digest := m.images[tag].Digest()
		signature := registrytest.ArtifactSpec{
			Layers: []registrytest.ArtifactLayer{m.Sign(digest)},
		}
		m.images[registry.FallbackTag(digest)+".sig"] = registrytest.Artifact(signature)
	}
	list := m.images["v1"].Manifest.Descriptor()
	m.images["sbom"] = registrytest.Artifact(registrytest.ArtifactSpec{
		Type: "application/spdx+json", Subject: &list,
		Layers: []registrytest.ArtifactLayer{{MediaType: "application/spdx+json", Data: []byte("{}")}},
	})
}

// runnable returns an image that this machine can run. Each seed gives another layer.
func (m *matrix) runnable(seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Files:    [][]string{{"file app " + m.Program, "dir " + seed}}, Entrypoint: []string{"/app"},
	})
}

// outcome is the result of a command.
type outcome struct {
	code           int
	stdout, stderr string
	tag            v1.Hash  // the digest of D/demo:v9; zero if there is none
	before         v1.Hash  // the digest before the command
	lines          []string // the requests to the faulty registry
	was, is        string   // the output of the command's look before and after it
}

// session is the registries, prepared for a command.
type session struct {
	*registries
	repo string // the first part of all its repositories: "c12"
	dir  string
	// fresh sessions have images of their own, so that digests and sizes differ from those of others.
	fresh bool
	was   string // the output of the command's look before it
}

func (m *matrix) open(t *testing.T, c command, o registrytest.Options) *session {
	t.Helper()
	p := <-m.free
	t.Cleanup(func() { m.free <- p })
	o.Referrers = c.referrers
	s := &session{registries: p, repo: fmt.Sprintf("c%d", m.serial.Add(1)), dir: t.TempDir()}
	for _, server := range []*registrytest.Server{p.src, p.dst} {
		usual := RegistryOptions()
		usual.Referrers = c.referrers
		server.Reset(usual)
	}
	p.other.Reset(registrytest.Options{})
	for tag, image := range m.images {
		p.src.Load(s.repo+"/demo", tag, image)
		for _, name := range []string{"/demo", "/one", "/two"} {
			p.other.Load(s.repo+name, tag, image)
		}
	}
	if c.works() { // a worker does not fetch images that it has
		s.fresh = true
		amd64 := v1.Platform{OS: "linux", Architecture: "amd64"}
		for tag, image := range map[string]registrytest.Built{
			"amd64": registrytest.Image(registrytest.ImageSpec{Platform: amd64, Layers: 2, Padding: 3000, Seed: s.repo}),
			"run":   m.runnable(s.repo),
		} {
			p.src.Load(s.repo+"/demo", tag, image)
			p.other.Load(s.repo+"/demo", tag, image)
		}
	}
	s.write(t, "pod.yaml",
		"{apiVersion: v1, kind: Pod, metadata: {name: demo}, spec: {containers: [{name: demo, image: "+
			s.words("S/demo:v1")[0]+"}]}}")
	s.write(t, "context/Dockerfile", "ARG BASE\nFROM $BASE\n")
	s.write(t, "cached/Dockerfile", "ARG BASE\nFROM $BASE\nCOPY Dockerfile /copied\n")
	s.write(t, "key.pub", string(m.Key))
	for _, line := range c.before {
		if code, _, stderr := Run(t.Context(), Canary, s.words(line)...); code != 0 {
			t.Fatalf("preparing by %q: code %d: %s", line, code, stderr)
		}
	}
	for _, server := range []*registrytest.Server{p.src, p.dst} {
		server.SetOptions(o)
	}
	s.was = s.look(c)
	p.src.Forget()
	p.dst.Forget()
	return s
}

// look returns the output of the command's look, or "nothing".
func (s *session) look(c command) string {
	if c.look == "" {
		return ""
	}
	code, stdout, stderr := Run(context.Background(), "", s.words(c.look)...)
	if code == 4 {
		return "nothing"
	}
	return s.normalize(fmt.Sprintf("code %d: %s", code, stdout)) + stderr[:min(len(stderr), code*len(stderr))]
}

// normalize replaces what differs between sessions.
func (s *session) normalize(text string) string {
	for from, to := range map[string]string{s.src.Host(): "S", s.dst.Host(): "D", s.repo + "/": "", s.dir: "F"} {
		text = strings.ReplaceAll(text, from, to)
	}
	if s.fresh {
		text = numbers().ReplaceAllString(text, "N")
	}
	return text
}

// write makes a file in the session's folder.
func (s *session) write(t *testing.T, name, body string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// words returns the words of a command line. S/ and D/ become the session's repositories in the two registries, {S} and
// {D} the hosts of these, F/ the session's folder.
func (s *session) words(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		for from, to := range map[string]string{
			"S/": s.src.Host() + "/" + s.repo + "/",
			"D/": s.dst.Host() + "/" + s.repo + "/", "F/": s.dir + "/", "N/": "local/" + s.repo + "/",
		} {
			if prefix, rest, ok := strings.Cut(w, from); ok &&
				(prefix == "" || strings.ContainsAny(prefix[len(prefix)-1:], ":=/")) {
				w = prefix + to + rest
				break
			}
		}
		words[i] = strings.NewReplacer("{S}", s.src.Host(), "{D}", s.dst.Host()).Replace(w)
	}
	return words
}

func (s *session) faulty(c command) *registrytest.Server {
	if c.faulty == "S" {
		return s.src
	}
	return s.dst
}

// tag returns the digest that the command published.
func (s *session) tag() v1.Hash {
	digest, ok := s.dst.Tag(s.repo+"/demo", "v9")
	if ok && s.fresh {
		digest.Hex = "fresh"
	}
	return digest
}

func numbers() *regexp.Regexp { return regexp.MustCompile(`[0-9a-f]{12,}|\d+`) }

// run runs the command. Unless instead is "", it replaces the address of the faulty registry.
func (s *session) run(c command, idle, instead string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), cellTime)
	defer cancel()
	var o outcome
	o.before = s.tag()
	words := s.words(c.line)
	if instead != "" {
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], s.faulty(c).Host(), instead)
		}
	}
	words = append(words, "--retry", "3", "--retry-wait", "1ms", "--idle-timeout", idle)
	o.code, o.stdout, o.stderr = Run(ctx, Canary, words...)
	if ctx.Err() != nil {
		o.stderr += "\n(ended by the time limit of a cell)"
	}
	o.tag = s.tag()
	o.lines = s.faulty(c).Requests()
	o.stdout = s.normalize(o.stdout)
	s.faulty(c).ClearFaults() // a look at a draft reads its sources
	o.was, o.is = s.was, s.look(c)
	if c.after != "" {
		Run(context.Background(), Canary, s.words(c.after)...) // if it fails, the next cell fails
	}
	return o
}

// Run runs a command line in this process.
func Run(ctx context.Context, stdin string, words ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Run(ctx, words, cli.Stdio{In: strings.NewReader(stdin), Out: &out, Err: &err})
	return code, out.String(), err.String()
}

// plain returns the outcome of the command without a fault.
func (m *matrix) plain(t *testing.T, c command) outcome {
	t.Helper()
	var o outcome
	t.Run("without faults/"+c.name, func(t *testing.T) {
		o = m.open(t, c, RegistryOptions()).run(c, "60s", "")
		if o.code != c.code {
			t.Fatalf("code %d, want %d: %s", o.code, c.code, o.stderr)
		}
	})
	return o
}
