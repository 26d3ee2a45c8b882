package compose_test

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func seeded(arch, variant, seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: linux(arch, variant), Seed: seed})
}

func windows(version string, features ...string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: version, OSFeatures: features},
	})
}

// repacked returns a second manifest with the config and layers of seeded(arch, "", seed).
func repacked(arch, seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: linux(arch, ""), Seed: seed, Annotations: map[string]string{"packed": "again"},
	})
}

func zstd(b registrytest.Built) registrytest.Built {
	return registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: b, Annotations: map[string]string{"io.github.containers.compression.zstd": "true"}},
	}})
}

func TestAddDuplicates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		a, b   registrytest.Built
		policy compose.OnDuplicate
		want   string // actions; "" when refused
		count  int    // entries of the list
	}{
		{"two platforms", image("amd64"), image("arm64"), "", "added added", 2},
		{"one platform", seeded("amd64", "", "a"), seeded("amd64", "", "b"), "", "", 0},
		{"arm64 is arm64/v8", seeded("arm64", "", "a"), seeded("arm64", "v8", "b"), "", "", 0},
		{"arm is arm/v7", seeded("arm", "", "a"), seeded("arm", "v7", "b"), "error", "", 0},
		{"v6 is not v7", image("arm/v6"), image("arm/v7"), "", "added added", 2},
		{"replace", seeded("amd64", "", "a"), seeded("amd64", "", "b"), "replace", "added replaced", 1},
		{"keep", seeded("amd64", "", "a"), seeded("amd64", "", "b"), "keep", "added added", 2},
		{"os.version", windows("10.0.20348.1"), windows("10.0.17763.1"), "", "added added", 2},
		{"same os.version", windows("10.0.20348.1"), registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1"}, Seed: "b",
		}), "", "", 0},
		{"os.features", windows("10.0.20348.1"), windows("10.0.20348.1", "win32k"), "", "added added", 2},
		{"compression", seeded("amd64", "", "a"), zstd(repacked("amd64", "a")), "", "added added", 2},
		{"compression of another build", seeded("amd64", "", "a"), zstd(seeded("amd64", "", "b")), "", "", 0},
		{"same compression", zstd(seeded("amd64", "", "a")), zstd(seeded("amd64", "", "b")), "", "", 0},
		{"same digest", image("amd64"), image("amd64"), "", "added folded", 1},
		{"same digest, two compressions", image("amd64"), zstd(image("amd64")), "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries := slices.Concat(entriesOf(t, tt.a, "demo:a"), entriesOf(t, tt.b, "demo:b"))
			l, changes, err := compose.List{Name: ref(t, "demo:v1")}.Add(entries, compose.AddOptions{OnDuplicate: tt.policy})
			if tt.want == "" {
				wantError(t, err, compose.ErrDuplicate, "demo:v1", "demo:a", "demo:b",
					entries[0].Digest().String(), entries[1].Digest().String())
				return
			}
			if err != nil || actions(changes) != tt.want || len(l.Entries) != tt.count {
				t.Errorf("got %q, %d entries, %v, want %q, %d", actions(changes), len(l.Entries), err, tt.want, tt.count)
			}
		})
	}
}

func TestAddReportsAllDuplicates(t *testing.T) {
	t.Parallel()
	_, _, err := two(t, "demo:v1").Add(slices.Concat(
		entriesOf(t, seeded("arm64", "", "x"), "demo:x"), entriesOf(t, seeded("amd64", "", "y"), "demo:y")), compose.AddOptions{})
	wantError(t, err, compose.ErrDuplicate, "demo:x", "demo:y", "linux/arm64", "linux/amd64")
}

func TestReplace(t *testing.T) {
	t.Parallel()
	l := two(t, "demo:v1")
	before := encode(t, l)
	newer := seeded("amd64", "", "newer")
	out, changes, err := l.Replace(slices.Concat(entriesOf(t, newer, "demo:amd2"), entriesOf(t, image("s390x"), "demo:z")),
		compose.AddOptions{})
	if err != nil || actions(changes) != "replaced added" || len(out.Entries) != 3 {
		t.Fatalf("got %q, %d entries, %v", actions(changes), len(out.Entries), err)
	}
	if out.Entries[0].Digest() != newer.Digest() || changes[0].Old != l.Entries[0].Digest() {
		t.Errorf("linux/amd64 is %s, was %s", out.Entries[0].Digest(), changes[0].Old)
	}
	if again := encode(t, l); string(again.Body) != string(before.Body) {
		t.Error("Replace changed the list it was called on")
	}
	if _, cs, err := out.Replace(entriesOf(t, newer, "demo:amd2"), compose.AddOptions{}); err != nil ||
		actions(cs) != "unchanged" {
		t.Errorf("the same amend again: got %q, %v", actions(cs), err)
	}
	_, _, err = l.Replace(slices.Concat(entriesOf(t, newer, "demo:a"), entriesOf(t, seeded("amd64", "", "x"), "demo:b")),
		compose.AddOptions{})
	wantError(t, err, compose.ErrDuplicate, "demo:a", "demo:b")
	_, _, err = l.Replace(entriesOf(t, newer, "demo:a"), compose.AddOptions{OnDuplicate: compose.DuplicateError})
	wantError(t, err, compose.ErrDuplicate)
}

// Annotations belong to the user. Amending with the same image keeps them; with another image, the change reports
// that they are gone.
func TestReplaceAnnotatedEntry(t *testing.T) {
	t.Parallel()
	l, _, err := two(t, "demo:v1").Annotate("linux/amd64", compose.Edit{Annotations: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	same, _, err := l.Replace(entriesOf(t, image("amd64"), "demo:again"), compose.AddOptions{})
	if err != nil || same.Entries[0].Descriptor.Annotations["k"] != "v" || same.Entries[0].Source.Typed != "demo:again" {
		t.Errorf("got %+v, %v, want the annotation kept and the source new", same.Entries[0].Descriptor, err)
	}
	_, changes, err := l.Replace(entriesOf(t, seeded("amd64", "", "x"), "demo:x"), compose.AddOptions{})
	if err != nil || !strings.Contains(changes[0].String(), "is gone") {
		t.Errorf("got %q, %v", changes, err)
	}
}

func TestFoldKeepsAttestations(t *testing.T) {
	t.Parallel()
	attested := registrytest.List(registrytest.ListSpec{
		Entries:  []registrytest.Entry{{Built: image("amd64")}},
		Attested: true,
	})
	l, _, err := list(t, "demo:v1", sourceOf(t, image("amd64"), "demo:a")).Replace(entriesOf(t, attested, "demo:b"),
		compose.AddOptions{})
	if err != nil || len(l.Entries) != 1 || len(l.Entries[0].Attestations) != 1 {
		t.Errorf("got %+v, %v, want one entry with an attestation", l.Entries, err)
	}
}

func TestListAsItsOwnSource(t *testing.T) {
	t.Parallel()
	promoted := registrytest.ListOf(image("amd64"), image("arm64"))
	current := []v1.Hash{promoted.Digest()}
	byDigest := "r.example/demo@" + promoted.Digest().String()
	tests := []struct {
		name, source string
		refused      bool
	}{
		{"by name", "r.example/demo:v1", true},
		{"by name in the store", "store:r.example/demo:v1", true},
		{"by the current digest", byDigest, true},
		{"another tag of the same content", "r.example/demo:v2", false},
		{"another repository", "r.example/other:v1", false},
		{"another digest", "r.example/demo@" + image("amd64").Digest().String(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := compose.List{Name: ref(t, "r.example/demo:v1")}.Add(entriesOf(t, promoted, tt.source),
				compose.AddOptions{Current: current})
			if !tt.refused {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, compose.ErrSelf, tt.source, "r.example/demo:v1")
			wantError(t, err, registry.ErrUsage)
		})
	}
	l := compose.List{Name: ref(t, "demo:v1")}
	if err := l.CheckSources(refs(t, "demo:v1-arm64", "r.example/demo:v1", "oci:demo:v1")); err != nil {
		t.Error(err)
	}
	wantError(t, l.CheckSources(refs(t, "demo:v2", "store:demo:v1")), compose.ErrSelf, "store:docker.io/library/demo:v1")
}

func TestDropped(t *testing.T) {
	t.Parallel()
	old := two(t, "demo:v1")
	arm := old.Entries[1].Digest().String()
	tests := []struct {
		name string
		now  compose.List
		want string
	}{
		{"nothing", old, ""},
		{
			"another image",
			list(t, "demo:v1", sourceOf(t, seeded("amd64", "", "x"), "demo:x"), sourceOf(t, image("arm64/v8"), "demo:y")), "",
		},
		{"arm64", list(t, "demo:v1", sourceOf(t, image("amd64"), "demo:x")), "dropped: linux/arm64 (was " + arm + ")"},
	}
	for _, tt := range tests {
		if got := strings.Join(compose.Dropped(old, tt.now), "\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
