package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// noted is an image or list about which inspect makes a note, and the flags that this takes.
type noted struct {
	built registrytest.Built
	flags []string
	fails bool // fails without --strict too, since a fault is reported as well
	two   bool // gets another note as well, which fails with --strict
}

func linux(arch string) v1.Platform { return v1.Platform{OS: "linux", Architecture: arch} }

func filesOf(arch string, files ...[]string) registrytest.ImageSpec {
	return registrytest.ImageSpec{Platform: linux(arch), Entrypoint: []string{"/app"}, Files: files}
}

// listOf returns a list of the images with these specs.
func listOf(specs ...registrytest.ImageSpec) registrytest.Built {
	var all []registrytest.Built
	for _, s := range specs {
		all = append(all, registrytest.Image(s))
	}
	return registrytest.ListOf(all...)
}

func rows(entries ...registrytest.Entry) registrytest.Built {
	return registrytest.List(registrytest.ListSpec{Entries: entries})
}

// withProvenance returns an image with one provenance statement, which has these members in its buildDefinition.
func withProvenance(predicate string) registrytest.Built {
	image := registrytest.Image(registrytest.ImageSpec{Platform: linux("arm64")})
	const kind = "https://slsa.dev/provenance/v1"
	body := fmt.Sprintf(
		`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"%s","subject":[{"name":"_","digest":{"sha256":"%s"}}],"predicate":{"buildDefinition":{"buildType":"t",%s}}}`,
		kind, image.Digest().Hex, predicate)
	statement := registrytest.Attestation(image.Manifest)
	statement.Claim = &v1.Platform{OS: "unknown", Architecture: "unknown"}
	statement.Built = registrytest.Artifact(registrytest.ArtifactSpec{Layers: []registrytest.ArtifactLayer{
		{
			MediaType: "application/vnd.in-toto+json", Annotations: map[string]string{"in-toto.io/predicate-type": kind},
			Data: []byte(body),
		},
	}})
	return rows(registrytest.Entry{Built: image}, statement)
}

// withConfig returns an image whose config has new instead of old.
func withConfig(old, new string) registrytest.Built {
	return changed(registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64")}), old, new)
}

func changed(b registrytest.Built, old, new string) registrytest.Built {
	config := b.Order[len(b.Order)-1]
	body := bytes.Replace(b.Blobs[config.Digest], []byte(old), []byte(new), 1)
	now := v1.Descriptor{MediaType: config.MediaType, Digest: registrytest.Hash(body), Size: int64(len(body))}
	b.Order, b.Blobs[now.Digest] = append(b.Order, now), body
	text := strings.Replace(string(b.Manifest.Body), config.Digest.String(), now.Digest.String(), 1)
	text = strings.Replace(text, fmt.Sprintf(`"size":%d`, config.Size), fmt.Sprintf(`"size":%d`, now.Size), 1)
	m, err := registry.NewManifest(b.Manifest.MediaType, []byte(text))
	if err != nil {
		panic(err)
	}
	b.Manifest, b.Manifests = m, []registry.Manifest{m}
	return b
}

// notedClaims returns examples of notes about claims, by rule.
func notedClaims() map[string]noted {
	amd64, arm64 := registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64")}),
		registrytest.Image(registrytest.ImageSpec{Platform: linux("arm64")})
	stale, aged := registrytest.SOCI(amd64), registrytest.SOCI(arm64)
	stale.Annotations = aged.Annotations
	based := func(arch, digest string) registrytest.ImageSpec {
		return registrytest.ImageSpec{
			Platform: linux(arch), Seed: arch,
			Annotations: map[string]string{"org.opencontainers.image.base.digest": digest},
		}
	}
	brought := func(arch string) registrytest.ImageSpec {
		s := filesOf(arch, []string{"elf bin/sh " + arch}, []string{"elf app amd64"})
		s.Origins = []string{"ADD rootfs /", "COPY app /app"}
		return s
	}
	data := func(arch string) registrytest.ImageSpec {
		return registrytest.ImageSpec{Platform: linux(arch), SharedLayer: "data", Binary: "amd64"}
	}
	foreign := registrytest.ImageSpec{Platform: linux("arm64"), Labels: map[string]string{"architecture": "x86_64"}}
	return map[string]noted{
		inspect.RuleNoImage:    {built: registrytest.Artifact(registrytest.ArtifactSpec{Type: "x/y"})},
		inspect.RuleNestedList: {built: registrytest.ListOf(amd64, registrytest.ListOf(arm64))},
		inspect.RuleMixedTypes: {
			built: registrytest.List(registrytest.ListSpec{Docker: true, Entries: []registrytest.Entry{{Built: amd64}}}),
		},
		inspect.RuleMixedParts: {
			built: listOf(registrytest.ImageSpec{Platform: linux("arm64"), ConfigType: types.DockerConfigJSON}),
		},
		inspect.RuleUnknownPlatform: {built: listOf(registrytest.ImageSpec{Platform: linux("e2k"), Binary: "amd64"})},
		inspect.RuleOddConfig:       {built: withConfig("1970-01-01T00:00:00Z", "yesterday")},
		inspect.RuleOrphan: {built: rows(registrytest.Entry{Built: amd64},
			registrytest.Attestation(arm64.Manifest))},
		inspect.RuleStaleArtifact: {built: rows(registrytest.Entry{Built: amd64}, stale)},
		inspect.RuleArtifactRow:   {built: rows(registrytest.SOCI(amd64)), two: true},
		inspect.RuleSharedLayers:  {built: listOf(data("amd64"), data("arm64"))},
		inspect.RuleSharedBase: {built: listOf(filesOf("amd64", []string{"plain etc/x"}, []string{"elf app amd64"}),
			filesOf("arm64", []string{"plain etc/x"}, []string{"elf app arm64"}))},
		inspect.RuleSharedProgram: {built: listOf(brought("amd64"), brought("arm64"))},
		inspect.RuleOneBase: {built: listOf(based("amd64", "sha256:a"), based("arm64", "sha256:a"),
			based("s390x", "sha256:b"))},
		inspect.RuleForeignBase: {built: listOf(foreign)},
		inspect.RuleOtherEntry: {
			built: listOf(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "arm", Variant: "v6"}}),
			flags: []string{"--require", "linux/arm/v7"},
		},
		inspect.RuleMissingOptional: {built: registrytest.List(registrytest.ListSpec{
			Entries: []registrytest.Entry{{Built: amd64}}, Annotations: map[string]string{"mtool.missing": "linux/riscv64"},
		})},
		"no-provenance": {
			built: listOf(registrytest.ImageSpec{Platform: linux("arm64")}),
			flags: []string{"--provenance"},
		},
		"built-elsewhere": {
			built: withProvenance(`"internalParameters":{"builderPlatform":"linux/amd64"}`),
			flags: []string{"--provenance"},
		},
		"foreign-materials": {
			built: withProvenance(`"resolvedDependencies":[{"uri":"pkg:docker/a@3?platform=linux%2Famd64"}]`),
			flags: []string{"--provenance"},
		},
	}
}

// notedBinaries returns examples of notes about layers, by rule.
func notedBinaries() map[string]noted {
	shell := registrytest.ImageSpec{
		Platform: linux("arm64"), Entrypoint: []string{"/bin/sh", "-c", `eval "$X"`},
		Files: [][]string{{"elf bin/sh arm64"}},
	}
	nowhere := filesOf("arm64", []string{"elf app arm64"})
	nowhere.WorkingDir = "/srv"
	lying := registrytest.Entry{Built: registrytest.Image(filesOf("arm64", []string{"elf app amd64"}))}
	lying.Claim = &v1.Platform{OS: "linux", Architecture: "amd64"}
	all := map[string]noted{
		deep.RuleNotFollowed:  {built: listOf(shell), flags: []string{"--entrypoint-only"}},
		deep.RuleNoCommand:    {built: listOf(filesOf("arm64", []string{"plain etc/x"}))},
		deep.RuleNoWorkingDir: {built: listOf(nowhere)},
		deep.RuleExplained: {
			built: listOf(filesOf("arm64", []string{"elf app arm64"})),
			flags: []string{"--explain", "/app"},
		},
		deep.RuleMalformed:   {built: listOf(filesOf("arm64", []string{"elf app arm64", "odd usr/bin/tool arm64"}))},
		deep.RuleBinariesToo: {built: rows(lying), fails: true},
		"i386 in amd64":      {built: listOf(filesOf("amd64", []string{"elf app amd64", "elf opt/tool 386"}))},
	}
	maps.Copy(all, notedDifferences())
	for name, n := range all {
		n.flags = append([]string{"--deep", "--no-facts"}, n.flags...)
		all[name] = n
	}
	return all
}

// notedDifferences returns examples of notes and failures about images of one list that differ, by rule.
func notedDifferences() map[string]noted {
	spec := func(arch, version, name string) registrytest.ImageSpec {
		s := filesOf(arch, []string{"elf app " + arch, "elf usr/bin/" + name + " " + arch})
		s.Labels, s.Env = map[string]string{"org.opencontainers.image.version": version}, []string{"PATH=/usr/bin"}
		return s
	}
	packaged := func(arch, version string) registrytest.ImageSpec {
		return filesOf(arch, []string{"elf app " + arch, "says var/lib/dpkg/status Package: curl\\nVersion: " + version})
	}
	older := registrytest.Image(filesOf("arm64", []string{"elf app arm64"}))
	other := filesOf("amd64", []string{"elf app amd64"})
	other.Cmd = []string{"serve"}
	rpm := func(arch string) registrytest.ImageSpec {
		return filesOf(arch, []string{"elf app " + arch, "plain usr/lib/sysimage/rpm/rpmdb.sqlite"})
	}
	same := []string{"--same"}
	return map[string]noted{
		parity.RuleLabel:   {built: listOf(spec("amd64", "1", "x"), spec("arm64", "2", "x"))},
		parity.RuleProgram: {built: listOf(spec("amd64", "1", "x"), spec("arm64", "1", "y"))},
		parity.RuleCreated: {built: registrytest.ListOf(withConfig("1970-01-01", "2025-01-01"),
			changed(older, "1970-01-01", "2024-01-01"))},
		parity.RulePackage: {built: listOf(packaged("amd64", "1"), packaged("arm64", "2")), flags: same, fails: true},
		parity.RuleListing: {built: listOf(rpm("amd64"), rpm("arm64")), flags: same},
		parity.RuleConfig:  {built: listOf(other, filesOf("arm64", []string{"elf app arm64"})), flags: same, fails: true},
		parity.RuleUnread: {
			built: listOf(spec("amd64", "1", "x"), spec("arm64", "1", "x")),
			flags: []string{"--same", "--entrypoint-only"}, fails: true,
		},
	}
}

// For every rule, an example gets the note in every output, with the rule's name. With --strict it fails, unless the
// rule's row says that it stays a note.
func TestNotes(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "MTOOL_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONFIG"} {
		t.Setenv(name, home)
	}
	t.Setenv("GITHUB_STEP_SUMMARY", "")
	server := registrytest.New(t, registrytest.Options{})
	all := notedClaims()
	maps.Copy(all, notedBinaries())
	image := registrytest.Image(registrytest.ImageSpec{Platform: linux("amd64")})
	all[app.RulePinned] = noted{built: image}
	all[workload.RuleNoNode] = noted{
		built: image,
		flags: []string{"--no-facts", "--cluster", fileOf(t, "nodes.json", nodesText)},
	}
	key, signature := signedBy(t, image)
	all["signed-apart"] = noted{
		built: registrytest.ListOf(image),
		flags: []string{"--signed-by", key, "--signed", "entries"},
	}
	server.Load("demo", registry.FallbackTag(image.Digest())+".sig", signature)

	for _, rule := range app.NoteRules() {
		n, ok := all[rule.Name]
		// of create and of deployed files: scripts test them
		elsewhere := []string{inspect.RuleSpelling, workload.RuleAccepted}
		if !ok {
			// rules about files: a script tests them
			if !deep.IsFileRule(rule.Name) && !slices.Contains(elsewhere, rule.Name) {
				t.Errorf("no example for the rule %s", rule.Name)
			}
			continue
		}
		t.Run(rule.Name, func(t *testing.T) { n.run(t, server, rule) })
	}
}

const nodesText = `{"kind":"List","items":[{"kind":"Node","metadata":{"name":"a","labels":{"kubernetes.io/os":"linux","kubernetes.io/arch":"amd64"}},"status":{"nodeInfo":{"operatingSystem":"linux","architecture":"amd64"}}}]}`

func (n noted) run(t *testing.T, server *registrytest.Server, rule inspect.Rule) {
	t.Helper()
	tag := strings.ReplaceAll(rule.Name, " ", "-")
	server.Load("demo", tag, n.built)
	ref := server.Host() + "/demo:" + tag
	args := append([]string{"inspect", ref}, n.flags...)
	switch rule.Name {
	case app.RulePinned:
		args[1] = server.Host() + "/demo@" + n.built.Digest().String()
	case workload.RuleNoNode:
		pod := "kind: Pod\napiVersion: v1\nspec:\n  nodeSelector: {disk: none}\n  containers: [{image: " + ref + "}]\n"
		args = append([]string{"inspect", "-f", fileOf(t, "pod.yaml", pod)}, n.flags...)
	}
	for output, label := range map[string]string{
		"json": `"rule": "%s"`, "sarif": `"ruleId": "%s"`, "junit": "[%s]", "github": "[%s]", "markdown": "[%s]",
		"html": "[%s]", "table": "", "tree": "",
	} {
		if label != "" {
			label = fmt.Sprintf(label, rule.Name)
		}
		for _, strict := range []bool{false, true} {
			want := 0
			if n.fails || strict && (n.two || rule.Stays == "") {
				want = exitContent
			}
			line := append(slices.Clone(args), "-o", output)
			if strict {
				line = append(line, "--strict")
			}
			code, text := runAll(line...)
			if code != want || !strings.Contains(text, label) {
				t.Errorf("mtool %q: code %d, want %d, and %q:\n%s", line, code, want, label, text)
			}
		}
	}
}

func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// signedBy signs an image with a new key and returns the file of the public key and the signature.
func signedBy(t *testing.T, image registrytest.Built) (key string, signature registrytest.Built) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	payload := fmt.Appendf(nil,
		`{"critical":{"identity":{"docker-reference":"any"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}`, image.Digest())
	sum := sha256.Sum256(payload)
	sig, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return fileOf(t, "key.pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))),
		registrytest.Artifact(registrytest.ArtifactSpec{Layers: []registrytest.ArtifactLayer{{
			MediaType: "application/vnd.dev.cosign.simplesigning.v1+json", Data: payload,
			Annotations: map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(sig)},
		}}})
}
