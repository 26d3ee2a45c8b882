package inspect_test

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// machines are nodes as their runtimes see them: podman and containerd detect the variant of an ARM processor.
func machines() (all []v1.Platform) {
	names := `linux/amd64 linux/amd64/v2 linux/amd64/v3 linux/amd64/v4 linux/386 linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm/v8
		linux/arm64 linux/arm64/v8.1 linux/arm64/v8.2 linux/arm64/v8.5 linux/arm64/v9 linux/arm64/v9.1 linux/arm64/v9.2 linux/arm64/v9.5
		linux/ppc64le linux/ppc64le/power9 linux/ppc64 linux/riscv64 linux/riscv64/rva22u64 linux/s390x linux/loong64 linux/sw64
		linux/mips64le linux/mipsle linux/mips64 linux/arm64/v8.9 linux/arm64/v9.4`
	for name := range strings.FieldsSeq(names) {
		all = append(all, plat(name))
	}
	return all
}

// rowWords are the platforms of the generated rows, including those that docker knows by another name.
const rowWords = `linux/amd64 linux/amd64 linux/amd64/v1 linux/amd64/v2 linux/amd64/v3 linux/arm linux/arm/v5 linux/arm/v6 linux/arm/v7
	linux/arm/v8 linux/arm/7 linux/arm64 linux/arm64 linux/arm64/v8 linux/arm64/v8.1 linux/arm64/8 linux/arm64/v9 linux/arm64/v9.2
	linux/ppc64le linux/ppc64le/power9 linux/ppc64el linux/riscv64 linux/riscv64/rva22u64 linux/s390x linux/386 linux/i386
	linux/x86_64 linux/aarch64 linux/armhf linux/arm32v7 linux/loong64 linux/loongarch64 linux/sw64 linux/mips64le Linux/amd64
	freebsd/arm64 unknown/unknown`

// The libraries of podman and containerd choose what Resolve returns, in every generated list and for every node.
func TestResolveAsReaders(t *testing.T) {
	t.Parallel()
	readers := registrytest.StartReaders(t)
	lists, seed := registrytest.Rounds(t, 2000)
	m := newMixture(seed)
	readers.Ask(map[string]any{"blobs": m.blobs})
	answers, none, differ := 0, 0, 0
	for range lists {
		report := m.resolvable(t)
		for _, node := range machines() {
			variant := node.Variant
			if node.Architecture == "arm64" {
				variant = cmp.Or(variant, "v8")
			}
			theirs := readers.Ask(map[string]any{
				"list": report.Root.Body, "mediaType": report.Root.MediaType, "os": node.OS, "arch": node.Architecture,
				"variant": variant,
			})
			for reader, runtimes := range map[string][]platform.Runtime{
				"podman": {platform.Podman, platform.CRIO}, "containerd": {platform.Containerd, platform.Docker},
			} {
				for _, runtime := range runtimes {
					if answers++; theirs[reader] == "" {
						none++
					}
					if got := takes(t, report, runtime, node); got != theirs[reader] {
						t.Fatalf("seed %d: %s takes %q for %v, %s's library %q, of\n%s", seed, runtime, got, node, reader, theirs[reader],
							report.Root.Body)
					}
				}
			}
			if theirs["podman"] != theirs["containerd"] {
				differ++
			}
		}
	}
	t.Logf("%d lists, %d answers are the same, %d of them none; podman and containerd differ %d times", lists, answers,
		none, differ)
	if none == 0 || none > answers*9/10 || differ == 0 {
		t.Error("too few or too many of the answers are none, or podman and containerd never differ")
	}
}

func takes(t *testing.T, r inspect.Report, runtime platform.Runtime, node v1.Platform) string {
	t.Helper()
	taken, err := r.Resolve(runtime, node)
	if err != nil {
		t.Fatal(err)
	}
	if !taken.Found {
		return ""
	}
	return taken.Digest.String()
}

// resolvable makes a list of images under platforms of all kinds.
func (m *mixture) resolvable(t *testing.T) inspect.Report {
	t.Helper()
	words := strings.Fields(rowWords)
	rows := []v1.Descriptor{}
	for range 1 + m.IntN(8) {
		b := m.pool[m.IntN(len(m.pool))]
		for !m.runs[b.Digest()] {
			b = m.pool[m.IntN(len(m.pool))]
		}
		d := b.Manifest.Descriptor()
		name := strings.Split(words[m.IntN(len(words))]+"/", "/")
		d.Platform = &v1.Platform{OS: name[0], Architecture: name[1], Variant: name[2]}
		if m.chance(15) {
			d.Platform = nil
		}
		if m.chance(4) {
			d.Annotations = map[string]string{"io.github.containers.compression.zstd": []string{
				"true", "true",
				"false",
			}[m.IntN(3)]}
		}
		rows = append(rows, d)
	}
	mediaType := types.OCIImageIndex
	if m.chance(4) {
		mediaType = types.DockerManifestList
	}
	body, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaType, "manifests": rows})
	if err != nil {
		t.Fatal(err)
	}
	root, err := registry.NewManifest(mediaType, body)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, registry.Object{Ref: registryRef(), Root: root, Source: m.all.Source()})
}

// Nested lists are followed, and every runtime takes a single image.
func TestResolve(t *testing.T) {
	t.Parallel()
	v6, amd64 := image("linux/arm/v6"), image("linux/amd64")
	inner := registrytest.ListOf(v6, image("linux/arm/v5"))
	nested := read(t, object(entry(amd64), claimed(inner, "linux/arm/v6")))
	for _, runtime := range platform.Runtimes() {
		if got := takes(t, nested, runtime, plat("linux/arm/v7")); got != v6.Digest().String() {
			t.Errorf("%s takes %q from the nested list, want v6", runtime, got)
		}
		single, err := read(t, obj(amd64)).Resolve(runtime, plat("linux/arm64"))
		if err != nil || !single.Found || !single.Other || !strings.Contains(single.Why, "it is not for linux/arm64") {
			t.Errorf("%s, a single image: %+v, %v", runtime, single, err)
		}
		if own, err := read(t, obj(v6)).Resolve(runtime, plat("linux/arm/v7")); err != nil || own.Other {
			t.Errorf("%s, a single image that runs: %+v, %v", runtime, own, err)
		}
	}
}
