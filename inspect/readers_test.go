package inspect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// From random lists, the libraries of crane, podman, containerd and regctl choose only manifests that were checked as
// images, unless mtool refuses the list. The same lists expose a mutant that trusts the artifactType.
func TestReadersAgree(t *testing.T) {
	t.Parallel()
	readers := registrytest.StartReaders(t)
	rounds, seed := registrytest.Rounds(t, 2500)
	m := newMixture(seed)
	readers.Ask(map[string]any{"blobs": m.blobs})
	nodes := []v1.Platform{
		plat("linux/amd64"), plat("linux/arm64"),
		{OS: "linux", Architecture: "arm64", Variant: "v8"},
		plat("linux/arm/v7"), plat("linux/s390x"),
	}
	accepted, taken, caught := 0, 0, 0
	for range rounds {
		body := m.list()
		root, err := registry.NewManifest(types.OCIImageIndex, body)
		if err != nil {
			t.Fatal(err)
		}
		answers := map[v1.Hash][]v1.Platform{}
		for _, node := range nodes {
			for _, digest := range readers.Ask(map[string]any{
				"list": body, "mediaType": types.OCIImageIndex, "os": node.OS, "arch": node.Architecture, "variant": node.Variant,
			}) {
				if h, err := v1.NewHash(digest); err == nil {
					answers[h] = append(answers[h], node)
				}
			}
		}
		report, err := inspect.Read(t.Context(), registry.Object{Ref: registryRef(), Root: root, Source: m.all.Source()})
		if err != nil {
			continue // refused as a whole
		}
		if inspect.Failed(inspect.Check(report, inspect.CheckOptions{})) == nil {
			accepted++
			taken += len(answers)
			if wrong := m.unjudged(report, answers); wrong != "" {
				t.Errorf("accepted, but %s:\n%s", wrong, body)
			}
		}
		mutant := report
		mutant.Images = slices.DeleteFunc(slices.Clone(report.Images),
			func(i inspect.Image) bool { return i.Descriptor.ArtifactType != "" })
		if inspect.Failed(inspect.Check(mutant, inspect.CheckOptions{})) == nil && m.unjudged(mutant, answers) != "" {
			caught++
		}
	}
	t.Logf("%d of %d lists accepted, %d answers compared; %d lists caught the mutant", accepted, rounds, taken, caught)
	if accepted < rounds/10 || taken < accepted || caught == 0 {
		t.Error("too few lists were accepted, or none caught the mutant")
	}
}

// mixture makes lists of right and wrong rows.
type mixture struct {
	*rand.Rand
	pool  []registrytest.Built
	runs  map[v1.Hash]bool // by manifest
	blobs map[string][]byte
	all   registrytest.Built
}

func newMixture(seed uint64) *mixture {
	m := &mixture{Rand: rand.New(rand.NewPCG(seed, 0)), runs: map[v1.Hash]bool{}, blobs: map[string][]byte{}}
	add := func(runs bool, b registrytest.Built) {
		m.pool = append(m.pool, b)
		m.runs[b.Digest()] = runs
	}
	for _, name := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x"} {
		b := image(name)
		for _, one := range []registrytest.Built{b, b, b.Copy(), seeded(name, "other")} {
			add(true, one)
		}
		add(true, registrytest.Image(registrytest.ImageSpec{Platform: plat(name), ArtifactType: "x/y"}))
		add(true, registrytest.Image(registrytest.ImageSpec{Platform: plat(name), ConfigType: "x/y"}))
		add(true, registrytest.Image(registrytest.ImageSpec{Platform: plat(name), ConfigType: "application/octet-stream"}))
		soci := registrytest.SOCI(b).Built
		soci.Platform = b.Platform
		add(false, soci)
		add(false, registrytest.Attestation(b.Manifest).Built)
	}
	var entries []registrytest.Entry
	for _, b := range m.pool {
		entries = append(entries, entry(b))
	}
	m.all = list(entries...)
	for _, manifest := range m.all.Manifests {
		m.blobs[manifest.Digest.String()] = manifest.Body
	}
	for digest, data := range m.all.Blobs {
		m.blobs[digest.String()] = data
	}
	return m
}

// chance is true once in n.
func (m *mixture) chance(n int) bool { return m.IntN(n) == 0 }

func (m *mixture) list() []byte {
	rows := []v1.Descriptor{}
	odd := 4 + m.IntN(40) // one row in so many is odd
	for range 1 + m.IntN(6) {
		rows = append(rows, m.row(odd))
	}
	body, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": rows})
	if err != nil {
		panic(err)
	}
	if m.chance(8) {
		body = m.twist(body)
	}
	return body
}

func (m *mixture) row(odd int) v1.Descriptor {
	b := m.pool[m.IntN(len(m.pool))]
	d := b.Manifest.Descriptor()
	p := b.Platform
	d.Platform = &p
	if !m.runs[b.Digest()] && m.chance(2) {
		d.Platform = nil
	}
	if m.chance(odd) {
		d.Platform = []*v1.Platform{
			nil,
			{},
			claim("linux/amd64"), claim("linux/arm64"),
			{OS: "unknown", Architecture: "unknown"},
			{Architecture: "amd64"},
			{OS: "linux", Architecture: "arm64", Variant: "v8"},
			{OS: "linux", Architecture: "amd64", Variant: "v3"},
			{OS: "linux", Architecture: "arm", Variant: "v6"},
			{OS: "linux", Architecture: "x86_64"},
		}[m.IntN(10)]
	}
	if m.chance(odd) {
		d.ArtifactType = "x/y"
	}
	if m.chance(odd) {
		d.MediaType = []types.MediaType{
			"x/y", types.OCILayer, types.DockerManifestSchema2, types.OCIImageIndex,
			"",
		}[m.IntN(5)]
	}
	if m.chance(odd) {
		d.Size = []int64{-1, 0, d.Size + 1, 1 << 62}[m.IntN(4)]
	}
	if m.chance(odd) {
		d.Annotations = map[string]string{[]string{
			"io.github.containers.compression.zstd", "vnd.docker.reference.type", "com.amazon.soci.image-manifest-digest",
		}[m.IntN(3)]: []string{"true", "attestation-manifest", m.pool[0].Digest().String()}[m.IntN(3)]}
	}
	return d
}

// twist adds a second member of the same name to the JSON.
func (m *mixture) twist(body []byte) []byte {
	other := m.row(1000)
	for _, name := range m.Perm(6) {
		word := []string{"digest", "platform", "architecture", "manifests", "mediaType", "os"}[name]
		value := map[string]any{
			"digest": other.Digest, "platform": claim("linux/amd64"), "architecture": "amd64", "manifests": []any{other},
			"mediaType": "x/y", "os": "linux",
		}[word]
		raw, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		key := fmt.Appendf(nil, "%q:", word)
		spelled := []string{word, strings.ToUpper(word), strings.Replace(word, "s", "ſ", 1)}[m.IntN(3)]
		if i := bytes.Index(body, key); i >= 0 {
			return slices.Concat(body[:i], fmt.Appendf(nil, "%q:%s,", spelled, raw), body[i:])
		}
	}
	return body
}

// unjudged returns a manifest that a library chooses although it was not checked as an image, and the nodes for which
// it does; "" if there is none.
func (m *mixture) unjudged(r inspect.Report, answers map[v1.Hash][]v1.Platform) string {
	for digest, nodes := range answers {
		judged := slices.ContainsFunc(r.Images,
			func(i inspect.Image) bool { return i.Descriptor.Digest == digest && i.Err == nil })
		// A manifest that no runtime can start does harm only in the place of an image.
		serves := slices.ContainsFunc(r.Images, func(i inspect.Image) bool {
			return slices.ContainsFunc(nodes, func(n v1.Platform) bool {
				p := i.Descriptor.Platform
				return p != nil && p.OS == n.OS && p.Architecture == n.Architecture && (p.Variant == n.Variant || n.Variant == "")
			})
		})
		if !judged && (m.runs[digest] || serves) {
			return fmt.Sprintf("%s is chosen for %v", digest, nodes)
		}
	}
	return ""
}
