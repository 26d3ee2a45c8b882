package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// reuse takes what Options.Reuse has of the job, lets solver build the rest, and returns the layouts of all.
func reuse(ctx context.Context, solver Solver, job Job) ([]Layout, error) {
	if job.Options.Reuse == nil {
		return solver.Solve(ctx, job)
	}
	if job.Spec.Name == nil || len(job.Spec.Exports) > 0 {
		return nil, registry.Usagef("an image that may be reused is stored, and no files are made of it")
	}
	before, err := fingerprints(ctx, job)
	if err != nil {
		return nil, err
	}
	all, err := job.take(ctx, before)
	if err != nil {
		return nil, err
	}
	rest := job
	rest.Spec.Platforms, rest.Spec.fingerprints = nil, map[string]string{}
	for i, p := range job.Spec.Platforms {
		if all[i].taken == nil {
			rest.Spec.Platforms = append(rest.Spec.Platforms, p)
			rest.Spec.fingerprints[platform.Format(p)] = before[i].digest
		}
	}
	if len(rest.Spec.Platforms) == 0 {
		return all, nil
	}
	built, err := solver.Solve(ctx, rest)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].taken == nil {
			all[i], built = built[0], built[1:]
		}
	}
	return all, job.unchanged(ctx, before, all)
}

// unchanged returns an error if a platform was built from something else than was found before: the image would claim
// the wrong fingerprint.
func (j Job) unchanged(ctx context.Context, before []fingerprintOf, all []Layout) error {
	after, err := fingerprints(ctx, j)
	if err != nil {
		return err
	}
	for i, p := range j.Spec.Platforms {
		if all[i].taken == nil && all[i].Err == nil && before[i].digest != after[i].digest {
			return fmt.Errorf("building %s: files or base images were changed meanwhile: build again", platform.Format(p))
		}
	}
	return nil
}

// take returns a layout for each platform; one without taken is to be built.
func (j Job) take(ctx context.Context, prints []fingerprintOf) ([]Layout, error) {
	all := make([]Layout, len(j.Spec.Platforms))
	from := j.Options.Reuse
	var report inspect.Report
	if from.Root.Digest.Hex != "" {
		var err error
		if report, err = inspect.Read(ctx, *from); err != nil {
			return nil, fmt.Errorf("reading %q: %w", from.Ref, err)
		}
	}
	for i, p := range j.Spec.Platforms {
		name := platform.Format(p)
		image, why := match(report.Images, p, prints[i])
		if why == "" {
			f := fetch{job: j, dir: filepath.Join(j.Dir, fmt.Sprint("taken-", i), "blobs")}
			f.alone = len(report.Images) == 1 && len(report.Others) == 0
			l, err := j.takeOne(ctx, p, image, f)
			if err == nil {
				all[i] = l
				j.Options.say(fmt.Sprintf("%s: unchanged since %s, taken", name, from.Ref.Familiar()))
				continue
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			why = err.Error()
		}
		if len(report.Images) > 0 || prints[i].err != nil {
			j.Options.say(fmt.Sprintf("%s: not taken from %s: %s", name, from.Ref.Familiar(), why))
		}
	}
	return all, nil
}

// match returns the image of a platform, or why it can't be taken.
func match(images []inspect.Image, p v1.Platform, want fingerprintOf) (image inspect.Image, why string) {
	if want.err != nil {
		return image, want.err.Error()
	}
	at := slices.IndexFunc(images, func(i inspect.Image) bool { return platform.Equal(i.Platform(), p) })
	if at < 0 {
		return image, "it has no image of the platform"
	}
	image = images[at]
	if image.Err != nil {
		return image, image.Err.Error()
	}
	switch Fingerprint(image) {
	case want.digest:
		return image, ""
	case "":
		return image, "it does not say what it was built from (annotation " + FingerprintAnnotation + ")"
	}
	return image, "it was built from something else"
}

// Fingerprint returns what an image says of what it was built from, "" if nothing.
func Fingerprint(image inspect.Image) string {
	var manifest struct{ Annotations map[string]string }
	_ = json.Unmarshal(image.Manifest.Body, &manifest) // inspect.Read has decoded it
	return manifest.Annotations[FingerprintAnnotation]
}

// takeOne fetches an image and its attestations, and verifies it as if it had been built.
func (j Job) takeOne(ctx context.Context, p v1.Platform, image inspect.Image, f fetch) (l Layout, err error) {
	if err := os.MkdirAll(filepath.Join(f.dir, "sha256"), 0o755); err != nil {
		return l, err
	}
	l.Dir = filepath.Dir(f.dir)
	if l.Root, err = f.image(ctx, image); err != nil {
		return l, err
	}
	taken, err := j.Spec.acceptOne(ctx, j.Options, p, l)
	if err != nil {
		return l, err
	}
	taken.Taken = true
	l.taken = &taken
	return l, nil
}

// fetch writes content into a directory of blobs. What the store has is linked.
type fetch struct {
	dir   string
	job   Job
	alone bool // the list that it is in has nothing but the image and its attestations
}

// image fetches an image, and returns its root: that of a list if it has attestations.
func (f fetch) image(ctx context.Context, i inspect.Image) (v1.Descriptor, error) {
	root := i.Manifest.Descriptor()
	rows := []v1.Descriptor{withPlatform(root, i.Config)}
	if err := f.manifest(ctx, i.Manifest, i.Blobs(), i.Source); err != nil {
		return root, err
	}
	for _, a := range i.Attestations {
		if a.Err != nil {
			return root, a.Err
		}
		if err := f.manifest(ctx, a.Manifest, a.Blobs, a.Source); err != nil {
			return root, err
		}
		rows = append(rows, a.Descriptor)
	}
	switch from := f.job.Options.Reuse.Root; {
	case len(rows) == 1:
		return root, nil
	case f.alone:
		return from.Descriptor(), f.write(from)
	}
	body, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: rows})
	if err != nil {
		return root, err
	}
	list, err := registry.NewManifest(types.OCIImageIndex, body)
	if err != nil {
		return root, err
	}
	return list.Descriptor(), f.write(list)
}

func withPlatform(d v1.Descriptor, p v1.Platform) v1.Descriptor {
	d.Platform = &p
	return d
}

func (f fetch) write(m registry.Manifest) error {
	return os.WriteFile(f.path(m.Digest), m.Body, 0o644)
}

func (f fetch) path(d v1.Hash) string { return filepath.Join(f.dir, d.Algorithm, d.Hex) }

// manifest fetches a manifest's blobs, all at once: the client limits the requests in flight.
func (f fetch) manifest(ctx context.Context, m registry.Manifest, blobs []v1.Descriptor, from registry.Source) error {
	g, ctx := errgroup.WithContext(ctx)
	seen := map[v1.Hash]bool{}
	for _, d := range blobs {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			g.Go(func() error { return f.blob(ctx, d, from) })
		}
	}
	return errors.Join(g.Wait(), f.write(m))
}

func (f fetch) blob(ctx context.Context, d v1.Descriptor, from registry.Source) (err error) {
	to := f.path(d.Digest)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	kept := filepath.Join(f.job.Options.Store.Dir(), "blobs", d.Digest.Algorithm, d.Digest.Hex)
	if err := os.Link(kept, to); err == nil || errors.Is(err, os.ErrExist) {
		return nil // verified with everything else
	}
	r, err := from.Blob(ctx, d)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
