package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/testparts"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// pile is content of a registry whose JSON is written by hand.
type pile struct {
	t *testing.T
	registrytest.Built
}

func newPile(t *testing.T) *pile {
	t.Helper()
	return &pile{t, registrytest.Built{Blobs: map[v1.Hash][]byte{}}}
}

func (p *pile) blob(body string) string {
	digest := registrytest.Hash([]byte(body))
	p.Blobs[digest] = []byte(body)
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, types.OCIConfigJSON, digest, len(body))
}

// manifest adds a manifest and returns its descriptor, with more members.
func (p *pile) manifest(mediaType types.MediaType, body, more string) string {
	m, err := registry.NewManifest(mediaType, []byte(body))
	if err != nil {
		p.t.Fatal(err)
	}
	p.Manifest, p.Manifests = m, append(p.Manifests, m)
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, m.Digest, len(body), more)
}

const imageHead = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`

// image adds an image. Its config and manifest have more members.
func (p *pile) image(n int, ofConfig, ofManifest string) string {
	version := fmt.Sprintf("10.0.%d.1", n)
	config := p.blob(fmt.Sprintf(`{"os":"windows","architecture":"amd64","os.version":%q%s}`, version, ofConfig))
	body := imageHead + fmt.Sprintf(`"config":%s,"layers":[]%s}`, config, ofManifest)
	return p.manifest(types.OCIManifestSchema1, body,
		fmt.Sprintf(`,"platform":{"os":"windows","architecture":"amd64","os.version":%q}`, version))
}

func (p *pile) list(rows ...string) {
	p.manifest(types.OCIImageIndex,
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`+strings.Join(rows, ",")+`]}`,
		"")
}

// images adds n images and a list of them.
func (p *pile) images(n int, ofConfig, ofManifest func(n int) string) {
	var rows []string
	for i := range n {
		rows = append(rows, p.image(i, ofConfig(i), ofManifest(i)))
	}
	p.list(rows...)
}

// repeated repeats s until it has mib MiB.
func repeated(s string, mib int) string { return strings.Repeat(s, mib<<20/len(s)) }

func nothing(int) string { return "" }

// TestMemoryOfLists checks that the inspection of any list takes at most as much memory as that of an image, and names
// the limit that the list exceeds.
func TestMemoryOfLists(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Slow)
	if testing.Short() {
		t.Skip("makes lists of hundreds of megabytes")
	}
	layer := `{"digest":"sha256:` + strings.Repeat("a", 64) + `","size":1}`
	for name, c := range map[string]struct {
		make func(p *pile)
		want string
	}{
		"ten thousand entries": {func(p *pile) { p.images(10_000, nothing, nothing) }, "windows/amd64:10.0.9999.1 "},
		"more than that": {
			func(p *pile) { p.images(10_001, nothing, nothing) },
			"over the limit: more than 10000 entries",
		},
		"large configs": {func(p *pile) {
			p.images(1000, func(n int) string { return fmt.Sprintf(`,"x":"%d%s"`, n, strings.Repeat("x", 100<<10)) }, nothing)
		}, "over the limit: "},
		"largest configs": {func(p *pile) {
			p.images(60, func(n int) string { return fmt.Sprintf(`,"x":"%d%s"`, n, strings.Repeat("x", 4<<20-100)) }, nothing)
		}, "over the limit: "},
		"labels": {func(p *pile) {
			p.images(8, func(n int) string { return fmt.Sprintf(`,"config":{"Labels":{"%d":""%s}}`, n, labels(3<<20)) }, nothing)
		}, "over the limit: "},
		"large manifests": {func(p *pile) {
			p.images(16, nothing, func(n int) string { return fmt.Sprintf(`,"annotations":{"%d":""%s}`, n, labels(4<<20)) })
		}, "over the limit: "},
		"many layers": {func(p *pile) {
			p.manifest(types.OCIManifestSchema1,
				imageHead+`"config":`+p.blob(`{"os":"linux","architecture":"amd64"}`)+`,"layers":[`+layer+
					repeated(","+layer, 4)+`]}`, "")
		}, "over the limit: "},
		"empty layers": {func(p *pile) {
			p.manifest(types.OCIManifestSchema1, imageHead+`"config":`+p.blob(`{}`)+`,"layers":[{}`+repeated(",{}", 7)+`]}`, "")
		}, "over the limit: "},
		"numbers as layers": {func(p *pile) {
			p.manifest(types.OCIManifestSchema1, imageHead+`"config":`+p.blob(`{}`)+`,"layers":[0`+repeated(",0", 7)+`]}`, "")
		}, "over the limit: "},
		"empty rows":      {func(p *pile) { p.list("{}" + repeated(",{}", 7)) }, "over the limit: "},
		"numbers as rows": {func(p *pile) { p.list("0" + repeated(",0", 7)) }, "over the limit: "},
		"urls": {func(p *pile) {
			p.manifest(types.OCIManifestSchema1,
				imageHead+`"config":`+p.blob(`{}`)+`,"layers":[{"urls":[""`+repeated(`,""`, 7)+`]}]}`, "")
		}, "over the limit: "},
	} {
		t.Run(name, func(t *testing.T) {
			server := registrytest.New(t, registrytest.Options{})
			p := newPile(t)
			c.make(p)
			server.Load("demo", "v1", p.Built)
			kB, out, err := peakOf(t, "inspect", "--deep", "--no-facts", server.Host()+"/demo:v1")
			t.Logf("%d MB; %v", kB>>10, err)
			if kB > mostMemory {
				t.Errorf("it took %d kB, want at most %d", kB, mostMemory)
			}
			if !bytes.Contains(out, []byte(c.want)) {
				t.Errorf("the output lacks %q:\n%s", c.want, out[max(0, len(out)-1000):])
			}
			if limit := strings.HasPrefix(c.want, "over"); limit && (err == nil || err.Error() != "exit status 3") {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

// labels returns members of an object, each with another name, size bytes in total.
func labels(size int) string {
	var b strings.Builder
	for n := 0; b.Len() < size; n++ {
		fmt.Fprintf(&b, `,"%x":""`, n)
	}
	return b.String()
}
