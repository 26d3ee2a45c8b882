package compose_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestEncodeGolden(t *testing.T) {
	t.Parallel()
	amd, arm := image("amd64"), image("arm64/v8")
	l := list(t, "demo:v1", sourceOf(t, amd, "demo:amd"), sourceOf(t, registrytest.List(registrytest.ListSpec{
		Entries: []registrytest.Entry{{Built: arm}}, Attested: true,
	}), "demo:arm"))
	att := l.Entries[1].Attestations[0]
	l, _, err := l.AnnotateList(compose.Edit{Annotations: map[string]string{"b": "x=1,<y>", "a": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`+
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":%d,"digest":"%s","platform":{"architecture":"amd64","os":"linux"}},`+
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":%d,"digest":"%s","platform":{"architecture":"arm64","os":"linux","variant":"v8"}},`+
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":%d,"digest":"%s",`+
		`"annotations":{"vnd.docker.reference.digest":"%s","vnd.docker.reference.type":"attestation-manifest"},`+
		`"platform":{"architecture":"unknown","os":"unknown"}}],"annotations":{"a":"1","b":"x=1,<y>"}}`,
		len(amd.Manifest.Body), amd.Digest(), len(arm.Manifest.Body), arm.Digest(),
		att.Descriptor.Size, att.Digest(), arm.Digest())
	if got := string(encode(t, l).Body); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPlatformsComeFromTheConfig(t *testing.T) {
	t.Parallel()
	windows := v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.1", OSFeatures: []string{"win32k"}}
	b := registrytest.Image(registrytest.ImageSpec{Platform: windows})
	l := list(t, "demo:v1", sourceOf(t, b, "demo:win"))
	if got := rows(t, encode(t, l))[0].Platform; !reflect.DeepEqual(*got, windows) {
		t.Errorf("got platform %+v, want %+v", got, windows)
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	oci, docker := image("amd64"), dockerImage("arm64")
	annotated := compose.Edit{Annotations: map[string]string{"k": "v"}}
	tests := []struct {
		name     string
		sources  []registrytest.Built
		kind     compose.Type
		list     bool // annotate the list
		entry    bool // annotate the entry linux/arm64
		want     types.MediaType
		wantNote string
		wantErr  string
	}{
		{"oci", []registrytest.Built{oci}, "", false, false, types.OCIImageIndex, "", ""},
		{"docker", []registrytest.Built{docker}, "", false, false, types.DockerManifestList, "", ""},
		{"mixed", []registrytest.Built{oci, docker}, "", false, false, types.OCIImageIndex, "", ""},
		{"docker forced to oci", []registrytest.Built{docker}, "oci", false, false, types.OCIImageIndex, "", ""},
		{
			"mixed forced to docker",
			[]registrytest.Built{oci, docker},
			"docker", false, false,
			"", "", "can't hold OCI images",
		},
		{
			"docker annotated",
			[]registrytest.Built{docker},
			"", true, false, types.OCIImageIndex,
			"can't hold annotations", "",
		},
		{
			"docker row annotated",
			[]registrytest.Built{docker},
			"", false, true, types.OCIImageIndex,
			"annotations of linux/arm64", "",
		},
		{"forced docker annotated", []registrytest.Built{docker}, "docker", true, false, "", "", "can't hold annotations"},
		{
			"forced docker row annotated",
			[]registrytest.Built{docker},
			"docker", false, true, "", "",
			"annotations of linux/arm64",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sources []compose.Source
			for i, b := range tt.sources {
				sources = append(sources, sourceOf(t, b, fmt.Sprintf("demo:%d", i)))
			}
			l := list(t, "demo:v1", sources...)
			l.Type = tt.kind
			var err error
			if tt.list {
				l, _, err = l.AnnotateList(annotated)
			} else if tt.entry {
				l, _, err = l.Annotate("linux/arm64", annotated)
			}
			if err != nil {
				t.Fatal(err)
			}
			m, err := l.Encode()
			if tt.wantErr != "" {
				wantError(t, err, registry.ErrUsage, tt.wantErr)
				return
			}
			if err != nil || m.MediaType != tt.want || !strings.Contains(string(m.Body), string(tt.want)) {
				t.Fatalf("got %s, %v in %s, want %s", m.MediaType, err, m.Body, tt.want)
			}
			if _, note, _ := l.MediaType(); note != "" != (tt.wantNote != "") || !strings.Contains(note, tt.wantNote) {
				t.Errorf("got note %q, want %q", note, tt.wantNote)
			}
		})
	}
}

func TestEncodeRefusesEmptyList(t *testing.T) {
	t.Parallel()
	_, err := compose.List{Name: ref(t, "demo:v1")}.Encode()
	wantError(t, err, compose.ErrEmpty, "demo:v1")
	wantError(t, err, registry.ErrUsage)
}

// Equal lists encode to equal bytes, however they were made, and adding and removing an entry restores a list.
func TestEncodeProperties(t *testing.T) {
	t.Parallel()
	names := []string{"amd64", "arm64", "arm/v6", "arm/v7", "386", "s390x", "ppc64le", "riscv64"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		var sources []compose.Source
		for _, n := range names[:2+rng.IntN(6)] {
			b := registrytest.List(registrytest.ListSpec{
				Entries:  []registrytest.Entry{{Built: image(n)}},
				Attested: rng.IntN(2) == 0,
			})
			sources = append(sources, sourceOf(t, b, "demo:"+strings.ReplaceAll(n, "/", "")))
		}
		last := len(sources) - 1
		all, most := list(t, "demo:v1", sources...), list(t, "demo:v1", sources[:last]...)
		if a, b := encode(t, all), encode(t, list(t, "demo:v1", sources...)); string(a.Body) != string(b.Body) {
			t.Fatalf("equal lists, different encodings:\n%s\n%s", a.Body, b.Body)
		}
		back, _, err := all.Remove(sources[last].Ref.Typed)
		if err != nil {
			t.Fatal(err)
		}
		if !equal(back, most) {
			t.Fatalf("adding and removing %s does not restore the list", names[last])
		}
		if a, b := encode(t, back), encode(t, all); string(a.Body) == string(b.Body) {
			t.Fatal("removing an entry does not change the bytes")
		}
	}
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]compose.Type{"": "", "auto": "", "oci": "oci", "docker": "docker"} {
		if got, err := compose.ParseType(in); got != want || err != nil {
			t.Errorf("ParseType(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	_, err := compose.ParseType("foo")
	wantError(t, err, registry.ErrUsage, "foo", "docker")
}
