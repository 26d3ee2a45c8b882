package inspect_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestReadRecordsChildren(t *testing.T) {
	t.Parallel()
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	config := arm64.Order[len(arm64.Order)-1].Digest
	refused := fmt.Errorf("refused: %w", registry.ErrUnavailable)
	big := &source{blob: func() io.Reader { return io.LimitReader(zeros{}, 5<<20) }}
	for name, c := range map[string]struct {
		obj  registry.Object
		kind error
		text string
	}{
		"missing manifest": {
			failing(list(entry(amd64), entry(arm64)), arm64.Digest(), registry.ErrNotFound),
			registry.ErrNotFound, "reading manifest of linux/arm64",
		},
		"missing config": {
			failing(list(entry(amd64), entry(arm64)), config, registry.ErrNotFound), registry.ErrNotFound,
			"reading config of linux/arm64",
		},
		"network": {failing(list(entry(amd64), entry(arm64)), arm64.Digest(), refused), registry.ErrUnavailable, "refused"},
		"wrong size": {
			list(entry(amd64), registrytest.Entry{Built: arm64, WrongSize: true}).Object(registryRef()),
			registry.ErrContent, "linux/arm64",
		},
		"wrong type": {
			list(entry(amd64), registrytest.Entry{Built: arm64, MediaType: types.DockerManifestSchema2}).Object(registryRef()),
			registry.ErrContent, "the manifest itself \"" + string(types.OCIManifestSchema1),
		},
		"a list with the type of an image": {
			list(entry(amd64),
				registrytest.Entry{Built: registrytest.ListOf(arm64), MediaType: types.OCIManifestSchema1}).Object(registryRef()),
			registry.ErrContent, "the manifest itself \"" + string(types.OCIImageIndex),
		},
		"an empty nested list": {
			list(entry(amd64), entry(list())).Object(registryRef()), registry.ErrContent,
			"the nested list is empty",
		},
		"schema 1": {
			list(entry(amd64),
				registrytest.Entry{Built: arm64, MediaType: types.DockerManifestSchema1Signed}).Object(registryRef()),
			registry.ErrContent, "schema 1",
		},
		"config too big": {func() registry.Object {
			obj := list(entry(amd64), entry(arm64)).Object(registryRef())
			obj.Source = &source{Source: obj.Source, blob: big.blob}
			return obj
		}(), registry.ErrContent, "more than 254 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := read(t, c.obj)
			if len(r.Images) != 2 {
				t.Fatalf("%d images, want both", len(r.Images))
			}
			if r.Images[0].Err != nil && name != "config too big" {
				t.Errorf("the other image fails too: %v", r.Images[0].Err)
			}
			wantIs(t, r.Images[1].Err, c.kind)
			wantText(t, r.Images[1].Err.Error(), c.text)
			wantText(t, r.Images[1].Err.Error(), "127.0.0.1:5000/demo:v1")
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A config whose descriptor states too large a size is not fetched.
func TestReadSkipsBigConfigs(t *testing.T) {
	t.Parallel()
	for size, requests := range map[int]int{4 << 20: 1, 4<<20 + 1: 0} {
		config := registrytest.Hash([]byte("config"))
		body := fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":%q,"size":%d,"digest":%q},"layers":[]}`,
			types.OCIConfigJSON, size, config)
		s := &source{blob: func() io.Reader { return strings.NewReader(`{"os":"linux","architecture":"amd64"}`) }}
		r := read(t, registry.Object{Ref: registryRef(), Root: manifestOf(types.OCIManifestSchema1, body), Source: s})
		if s.requests[config] != requests || errors.Is(r.Images[0].Err, inspect.ErrLimit) != (requests == 0) {
			t.Errorf("%d bytes: %d requests, error %v", size, s.requests[config], r.Images[0].Err)
		}
	}
}

// A row that is not a descriptor does not hide the others.
func TestReadBadRow(t *testing.T) {
	t.Parallel()
	b := registrytest.ListOf(image("linux/amd64"))
	for name, row := range map[string]string{
		"bad digest": `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:xyz"}`,
		"no digest":  `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1}`,
		"a number":   `7`,
	} {
		obj := b.Object(registryRef())
		obj.Root = manifestOf(types.OCIImageIndex,
			strings.Replace(string(b.Manifest.Body), `"manifests":[`, `"manifests":[`+row+`,`, 1))
		r := read(t, obj)
		if len(r.Images) != 2 || r.Images[1].Err != nil || string(r.Images[0].Row) != row {
			t.Errorf("%s: images are %+v", name, r.Images)
			continue
		}
		wantIs(t, r.Images[0].Err, registry.ErrContent)
	}
}
