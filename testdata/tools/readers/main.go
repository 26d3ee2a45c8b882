// Command readers answers what others take out of a list or an archive, by their own libraries: crane
// (go-containerregistry), podman and skopeo (containers-image), containerd and regctl. It reads lines of JSON and
// answers each with one:
//
//	{"blobs": {"sha256:…": "base64"}}                            the contents for the lines behind it; answered with {}
//	{"list": "base64", "mediaType": "…", "os", "arch", "variant"} the digest of the manifest that each takes, "" for none
//	{"archive": "FILE"}                                           the digest of the config of the image that each takes
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/google/go-containerregistry/pkg/logs"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/regclient/regclient/types/descriptor"
	"github.com/regclient/regclient/types/manifest"
	regplatform "github.com/regclient/regclient/types/platform"
	dockerarchive "go.podman.io/image/v5/docker/archive"
	podmanmanifest "go.podman.io/image/v5/manifest"
	ociarchive "go.podman.io/image/v5/oci/archive"
	podman "go.podman.io/image/v5/types"
)

type question struct {
	Blobs     map[string][]byte `json:"blobs"`
	List      []byte            `json:"list"`
	MediaType string            `json:"mediaType"`
	OS        string            `json:"os"`
	Arch      string            `json:"arch"`
	Variant   string            `json:"variant"`
	Archive   string            `json:"archive"`
}

func main() {
	logs.Warn.SetOutput(io.Discard)
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := json.NewEncoder(os.Stdout)
	contents := store{}
	for {
		var q question
		err := in.Decode(&q)
		if errors.Is(err, io.EOF) {
			return
		}
		answer := map[string]string{}
		switch {
		case err != nil:
			fmt.Fprintln(os.Stderr, "readers:", err)
			os.Exit(1)
		case q.Blobs != nil:
			contents = q.Blobs
		case q.Archive != "":
			answer = ofArchive(q.Archive)
		default:
			answer = contents.ofList(q)
		}
		if err := out.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}

// store are contents by digest.
type store map[string][]byte

func (s store) ofList(q question) map[string]string {
	root := digest.FromBytes(q.List).String()
	s[root] = q.List
	defer delete(s, root)
	return map[string]string{
		"crane": s.crane(q, root), "podman": s.podman(q), "containerd": s.containerd(q, root), "regctl": s.regctl(q, root),
	}
}

func (s store) crane(q question, root string) string {
	ref, err := name.NewDigest("example.test/app@" + root)
	if err != nil {
		return ""
	}
	p := v1.Platform{OS: q.OS, Architecture: q.Arch, Variant: q.Variant}
	img, err := remote.Image(ref, remote.WithPlatform(p), remote.WithTransport(registry{s, root, q.MediaType}))
	if err != nil {
		return ""
	}
	h, err := img.Digest()
	if err != nil {
		return ""
	}
	return h.String()
}

// registry answers from the contents; the type of a manifest is what it says itself.
type registry struct {
	store
	root, mediaType string
}

func (r registry) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
	_, digest, is := strings.Cut(req.URL.Path, "/manifests/")
	if !is {
		return resp, nil
	}
	body, ok := r.store[digest]
	if !ok {
		resp.StatusCode = http.StatusNotFound
		return resp, nil
	}
	resp.Header.Set("Content-Type", r.typeOf(digest, body))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

func (r registry) typeOf(digest string, body []byte) string {
	if digest == r.root {
		return r.mediaType
	}
	var m struct {
		MediaType string `json:"mediaType"`
	}
	_ = json.Unmarshal(body, &m)
	return m.MediaType
}

func (s store) podman(q question) string {
	list, err := podmanmanifest.ListFromBlob(q.List, q.MediaType)
	if err != nil {
		return ""
	}
	chosen, err := list.ChooseInstance(&podman.SystemContext{OSChoice: q.OS, ArchitectureChoice: q.Arch, VariantChoice: q.Variant})
	if err != nil {
		return ""
	}
	return chosen.String()
}

func (s store) containerd(q question, root string) string {
	p := &provider{store: s, root: root}
	node := platforms.Only(ocispec.Platform{OS: q.OS, Architecture: q.Arch, Variant: q.Variant})
	target := ocispec.Descriptor{MediaType: q.MediaType, Digest: digest.Digest(root), Size: int64(len(q.List))}
	if _, err := images.Manifest(context.Background(), p, target, node); err != nil {
		return ""
	}
	return p.last
}

// provider remembers the last manifest that was read, which is the one that was taken.
type provider struct {
	store
	root, last string
}

// ReaderAt implements content.Provider.
func (p *provider) ReaderAt(_ context.Context, d ocispec.Descriptor) (content.ReaderAt, error) {
	body, ok := p.store[d.Digest.String()]
	if !ok {
		return nil, errdefs.ErrNotFound
	}
	if images.IsManifestType(d.MediaType) {
		p.last = d.Digest.String()
	}
	return blob{bytes.NewReader(body)}, nil
}

type blob struct{ *bytes.Reader }

func (blob) Close() error { return nil }

func (s store) regctl(q question, root string) string {
	m, err := manifest.New(manifest.WithRaw(q.List), manifest.WithDesc(descriptor.Descriptor{
		MediaType: q.MediaType, Digest: digest.Digest(root), Size: int64(len(q.List)),
	}))
	if err != nil {
		return ""
	}
	d, err := manifest.GetPlatformDesc(m, &regplatform.Platform{OS: q.OS, Architecture: q.Arch, Variant: q.Variant})
	if err != nil {
		return ""
	}
	return d.Digest.String()
}

func ofArchive(file string) map[string]string {
	answer := map[string]string{"crane": "", "skopeo": "", "podman": ""}
	if img, err := tarball.ImageFromPath(file, nil); err == nil {
		if h, err := img.ConfigName(); err == nil {
			answer["crane"] = h.String()
		}
	}
	if ref, err := dockerarchive.ParseReference(file); err == nil {
		answer["skopeo"] = configOf(ref)
	}
	if ref, err := ociarchive.ParseReference(file); err == nil {
		answer["podman"] = configOf(ref)
	}
	return answer
}

func configOf(ref podman.ImageReference) string {
	ctx := context.Background()
	sys := &podman.SystemContext{OSChoice: "linux", ArchitectureChoice: "amd64"}
	img, err := ref.NewImage(ctx, sys)
	if err != nil {
		return ""
	}
	defer img.Close()
	// The bytes themselves: a descriptor may say anything.
	config, err := img.ConfigBlob(ctx)
	if err != nil {
		return ""
	}
	return digest.FromBytes(config).String()
}
