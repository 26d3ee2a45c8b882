package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// maxManifest bounds what is read as one manifest. Registries take 4 MiB, which the distribution specification names as
// the least that all must take; the rest is for private ones that take more.
const maxManifest = 8 << 20

// manifestTypes are accepted in every read of a manifest.
var manifestTypes = strings.Join([]string{
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
}, ", ")

// Resolve gets the manifest of ref's digest, or else of its tag, in one request. The digest is computed from the
// bytes; the error wraps ErrContent if it is not the requested one, or not the one that the registry names.
func (r *Repository) Resolve(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	return r.manifest(ctx, r.at(ref), v1.Descriptor{Digest: ref.Digest})
}

// Manifest gets a manifest by digest and compares its size too, unless d.Size is 0.
func (r *Repository) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	return r.manifest(ctx, r.base.WithDigest(d.Digest), d)
}

// at returns ref's tag and digest in this repository.
func (r *Repository) at(ref registry.Ref) registry.Ref {
	at := r.base
	at.Tag, at.Digest = ref.Tag, ref.Digest
	return at
}

func (r *Repository) manifest(ctx context.Context, ref registry.Ref, d v1.Descriptor) (registry.Manifest, error) {
	if m, ok := fromMirror(ctx,
		r, func(m *Repository) (registry.Manifest, error) { return m.askManifest(ctx, m.at(ref), d) }); ok {
		return m, nil
	}
	return retry(ctx, r.client, func() (registry.Manifest, error) { return r.askManifest(ctx, ref, d) })
}

// askManifest sends one request.
func (r *Repository) askManifest(ctx context.Context, ref registry.Ref, d v1.Descriptor) (registry.Manifest, error) {
	q := r.manifestRequest(ref)
	header, body, err := r.fetch(ctx, q)
	if err != nil {
		return registry.Manifest{}, err
	}
	m, err := decodeManifest(header, body, d)
	if err != nil {
		e := r.host.failure(q)
		e.Kind, e.Err, e.Message = registry.ErrContent, err, err.Error()
		return registry.Manifest{}, e
	}
	return m, nil
}

func (r *Repository) manifestRequest(ref registry.Ref) request {
	return request{
		doing: "reading manifest", ref: ref, scopes: r.reads(),
		method: http.MethodGet, path: r.path("manifests", identifier(ref)),
		header: http.Header{"Accept": {manifestTypes}},
		want:   []int{http.StatusOK},
	}
}

// fetch reads an answer up to one byte more than a manifest may have.
func (r *Repository) fetch(ctx context.Context, q request) (http.Header, []byte, error) {
	resp, err := r.host.send(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	defer drain(resp.Body)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return nil, nil, r.host.failure(q).broke(ctx, r.host.name,
			fmt.Errorf("answer cut off after %d bytes: %w", len(body), err))
	}
	return resp.Header, body, nil
}

// decodeManifest verifies a registry's answer against the request.
func decodeManifest(h http.Header, body []byte, d v1.Descriptor) (registry.Manifest, error) {
	if len(body) > maxManifest {
		return registry.Manifest{}, fmt.Errorf("the manifest is larger than %d MiB", maxManifest>>20)
	}
	if d.Size > 0 && int64(len(body)) != d.Size {
		return registry.Manifest{}, fmt.Errorf("the manifest has %d bytes, not %d", len(body), d.Size)
	}
	mediaType, err := registry.ManifestType(h.Get("Content-Type"), body)
	if err != nil {
		return registry.Manifest{}, err
	}
	m, err := registry.NewManifest(mediaType, body)
	if err != nil {
		return registry.Manifest{}, err
	}
	if d.Digest != (v1.Hash{}) {
		err = m.Verify(d.Digest, "asked for")
	} else if stated, invalid := v1.NewHash(h.Get("Docker-Content-Digest")); invalid == nil {
		err = m.Verify(stated, "that the registry says")
	}
	if err == nil {
		err = registry.CheckManifest(body)
	}
	return m, err
}

// Tag returns the manifest that a tag points to, for callers about to overwrite it. The error wraps ErrNotFound when
// the tag does not exist.
//
// It is one GET: registries, and proxies before them, are known to answer HEAD with 404, 403 or 405 although the tag
// is there. A damaged manifest, or bytes that are not one, still count as existing: they are returned as received,
// with their digest, and as a list if anything says so, together with an error that wraps ErrContent. Mirrors are not
// used.
func (r *Repository) Tag(ctx context.Context, tag string) (registry.Manifest, error) {
	q := r.manifestRequest(r.base.WithTag(tag))
	q.doing = "looking up"
	return retry(ctx, r.client, func() (registry.Manifest, error) {
		header, body, err := r.fetch(ctx, q)
		if err != nil {
			return registry.Manifest{}, err
		}
		m, err := decodeManifest(header, body, v1.Descriptor{})
		if err == nil {
			return m, nil
		}
		e := r.host.failure(q)
		e.Kind, e.Err, e.Message = registry.ErrContent, err, err.Error()
		contentType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
		m = registry.Manifest{MediaType: types.MediaType(strings.TrimSpace(contentType)), Body: body}
		if sniffed, err := registry.SniffMediaType(body); err == nil && !m.IsList() {
			m.MediaType = sniffed
		}
		m.Digest, _, _ = v1.SHA256(bytes.NewReader(body)) // of memory, which never fails
		return m, e
	})
}
