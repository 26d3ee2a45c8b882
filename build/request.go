package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

const storeForOCI = "store" // the name by which a worker requests the local store

// attrs returns the options of the Dockerfile frontend for one platform.
func attrs(s Spec, p v1.Platform, bases []localBase, proxy remote.Proxy) map[string]string {
	a := map[string]string{
		"platform": platforms.FormatAll(spec(p)),
		"filename": filepath.Base(s.Dockerfile),
	}
	extraAttrs(a, s.SpecOptions)
	if s.Target != "" {
		a["target"] = s.Target
	}
	if s.NoCache {
		a["no-cache"] = ""
	}
	proxyAttrs(a, proxy, s.BuildArgs)
	for k, v := range s.BuildArgs {
		a["build-arg:"+k] = v
	}
	for k, v := range s.Labels {
		a["label:"+k] = v
	}
	if provenance(s.Provenance) != "" {
		for k, v := range s.VCS {
			a["vcs:"+k] = v
		}
	}
	for _, b := range bases {
		a["context:"+contextName(b)] = layoutScheme + layoutID(b) + "@" + b.Digest.String()
	}
	return a
}

// proxyAttrs adds build arguments for RUN steps that are neither in the image nor in cache keys. BuildKit sets both
// spellings of each and accepts either: the user's own wins.
func proxyAttrs(a map[string]string, proxy remote.Proxy, given map[string]string) {
	vars := proxy.Vars()
	for name := range given {
		delete(vars, strings.ToUpper(name))
	}
	for name, value := range vars {
		if name == strings.ToUpper(name) {
			a["build-arg:"+name] = value
		}
	}
}

// contextName returns the key by which the frontend looks up a base: the short name without ":latest", and the
// platform.
func contextName(b localBase) string {
	name := contextKey(b.Name)
	if b.Given == "" {
		name = shortName(b.Ref)
	}
	return name + "::" + platforms.FormatAll(spec(b.Platform))
}

// layoutID returns the name by which a worker requests the layout of a base.
func layoutID(b localBase) string {
	if b.Ref.IsFile() {
		return "layout-" + digest.FromString(b.Ref.Path).Encoded()[:12]
	}
	return storeForOCI
}

// request returns one platform's solve. The layout goes into dir.
func request(job Job, p v1.Platform, bases []localBase, proxy remote.Proxy, dir string) (client.SolveOpt, error) {
	o := client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: attrs(job.Spec, p, bases, proxy),
		Session:       []session.Attachable{credentials(job.Options)},
		OCIStores:     map[string]content.Store{},
	}
	if job.Spec.Name != nil {
		out, err := newOutput(dir, job.Options.Store.Dir())
		if err != nil {
			return o, err
		}
		image := export(job.Spec, out)
		if provenance(job.Spec.Provenance)+sbom(job.Spec.SBOM) != "" { // a worker names a statement's subject only by this
			image.Attrs["name"] = job.Spec.Name(p).Name()
		}
		if digest := job.Spec.fingerprints[platform.Format(p)]; digest != "" {
			image.Attrs["annotation."+FingerprintAnnotation] = digest
			o.FrontendAttrs[FingerprintAnnotation] = digest // for provenance
			o.FrontendAttrs["image-resolve-mode"] = "pull"  // the bases in their registries, as they were looked up
		}
		o.Exports = []client.ExportEntry{image}
	}
	if err := addExtras(&o, job, p); err != nil {
		return o, err
	}
	return o, addLayouts(o.OCIStores, job, bases)
}

// addLayouts opens the layouts that hold the bases.
func addLayouts(stores map[string]content.Store, job Job, bases []localBase) error {
	for _, b := range bases {
		id, dir := layoutID(b), job.Options.Store.Dir()
		if _, ok := stores[id]; ok {
			continue
		}
		if b.Ref.IsFile() {
			dir = b.Ref.Path
			if err := regular.AllOfLayout(dir); err != nil {
				return fmt.Errorf("%w: reading layout: %w", registry.ErrContent, err)
			}
		}
		blobs, err := readOnly(dir, job.Dir)
		if err != nil {
			return err
		}
		stores[id] = blobs
	}
	return nil
}

// readOnly opens the blobs of a layout for reading. Opening a content store creates folders in it, so it gets its own
// directory below scratch with a link to the blobs.
func readOnly(layout, scratch string) (content.Store, error) {
	dir, err := os.MkdirTemp(scratch, "bases-")
	if err != nil {
		return nil, err
	}
	blobs, err := filepath.Abs(filepath.Join(layout, "blobs"))
	if err != nil {
		return nil, err
	}
	if err := os.Symlink(blobs, filepath.Join(dir, "blobs")); err != nil {
		return nil, err
	}
	return contentlocal.NewStore(dir)
}
