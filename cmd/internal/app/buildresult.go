package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/compose/publish"
	"mtool/compose/spec"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/source"
)

// Built is the result of Build.
type Built struct {
	Made    []publish.Made // in the store and elsewhere, each once
	List    v1.Hash        // of several platforms
	Images  []build.Image  // one for each platform; none if only files were made
	Missing []build.Missing
	Results []spec.Result // of BuildOptions.ByDigest
}

// MissingPlatforms returns the optional platforms that were not built.
func (b Built) MissingPlatforms() (all []v1.Platform) {
	for _, m := range b.Missing {
		all = append(all, m.Platform)
	}
	return all
}

// add adds to Made what is not in it yet.
func (b *Built) add(made ...publish.Made) {
	d := publish.Done{Made: b.Made}
	d.Add(made...)
	b.Made = d.Made
}

// versionLabel is the label of an image with the version of its program.
const versionLabel = "org.opencontainers.image.version"

// pushByDigest pushes every image without a tag, and reads it back.
func (e *Env) pushByDigest(ctx context.Context, o BuildOptions, built *Built) error {
	repo := o.ByDigest
	var all []spec.Result
	for _, image := range built.Images {
		result, err := e.pushOneByDigest(ctx, repo, image, o.Compression)
		if err != nil {
			return fmt.Errorf("pushing %s to %q: %w", platform.Format(image.Platform), repo.Repository(), err)
		}
		result.Run = o.Run
		if len(o.Names) > 0 {
			result.Ref = image.Ref.At(registry.TransportRegistry).Name()
		}
		all = append(all, result)
		built.add(publish.MadeAt(repo, result.Digest))
	}
	for _, m := range built.Missing {
		all = append(all, spec.Result{
			Schema: spec.ResultSchema, Repo: repo.Repository(), Platform: platform.Format(m.Platform), Run: o.Run,
			Missing: m.Err.Error(),
		})
	}
	built.Results = all
	return nil
}

// forget removes the images from the store.
func (e names) forget(ctx context.Context, images []build.Image) error {
	var errs []error
	for _, image := range images {
		errs = append(errs, e.Store.Remove(ctx, image.Ref))
	}
	return errors.Join(errs...)
}

func (e *Env) pushOneByDigest(
	ctx context.Context, repo registry.Ref, image build.Image, c publish.Compression,
) (r spec.Result, err error) {
	object, report, err := e.readOne(ctx, image.Ref.At(registry.TransportStore), source.Options{From: "store"})
	if err != nil {
		return r, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	o := pushing{PublishOptions: PublishOptions{ByDigest: true, Confirm: true, Compression: c}}
	made, err := e.publishOne(ctx, report, repo.At(registry.TransportRegistry), o)
	if err != nil {
		return r, err
	}
	var confirmed registry.Manifest
	err = registry.Await(ctx, func() (err error) {
		confirmed, err = e.Client.Repository(repo, remote.PullPush).Resolve(ctx, repo.WithDigest(made.Digest))
		return err
	})
	if err != nil {
		return r, fmt.Errorf("reading it back: %w", err)
	}
	version, err := versionOf(report)
	if err != nil {
		return r, err
	}
	r = spec.Result{
		Schema: spec.ResultSchema, Repo: repo.Repository(), Digest: confirmed.Digest,
		Platform:  platform.Format(image.Platform),
		MediaType: string(confirmed.MediaType), Size: int64(len(confirmed.Body)), Version: version,
	}
	if confirmed.IsList() && len(report.Images) == 1 {
		r.Image = report.Images[0].Descriptor.Digest.String()
	}
	return r, nil
}

// versionOf returns the version label of the first image, "" if it has none.
func versionOf(report inspect.Report) (string, error) {
	if len(report.Images) == 0 {
		return "", nil
	}
	image := report.Images[0]
	details, err := image.Details()
	if err = cmp.Or(image.Err, err); err != nil {
		return "", fmt.Errorf("reading the config of %s: %w", image.Descriptor.Digest, err)
	}
	return details.Labels[versionLabel], nil
}

// Digest returns the digest of the list, or of the only image.
func (b Built) Digest() v1.Hash {
	if b.List != (v1.Hash{}) || len(b.Images) == 0 {
		return b.List
	}
	return b.Images[0].Manifest.Digest
}

// metadata returns the keys of docker buildx build --metadata-file, and the digest of each platform.
// https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file
func (b Built) metadata(o BuildOptions) map[string]any {
	all := map[string]any{}
	if d := b.Digest(); d != (v1.Hash{}) {
		all["containerimage.digest"] = d.String()
	}
	if len(b.Images) == 1 {
		all["containerimage.descriptor"] = b.Images[0].Manifest.Descriptor()
	}
	var names []string
	for _, name := range o.Names {
		names = append(names, name.Name())
	}
	if len(names) > 0 {
		all["image.name"] = strings.Join(names, ",")
	}
	platforms := map[string]string{}
	for _, image := range b.Images {
		platforms[platform.Format(image.Platform)] = image.Manifest.Digest.String()
	}
	all["mtool.platforms"] = platforms
	if len(b.Missing) > 0 {
		all["mtool.missing"] = platform.FormatAll(b.MissingPlatforms())
	}
	return all
}

// record writes the files that tell other programs what was built.
func (e *Env) record(o BuildOptions, b Built) error {
	if o.IDFile != "" && len(b.Made) > 0 {
		err := writeFile(o.IDFile, func(w io.Writer) error {
			_, err := io.WriteString(w, b.Digest().String())
			return err
		})
		if err != nil {
			return err
		}
	}
	if o.MetadataFile != "" {
		if err := writeFile(o.MetadataFile, func(w io.Writer) error { return writeIndented(w, b.metadata(o)) }); err != nil {
			return err
		}
	}
	if o.ResultFile == "" {
		return nil
	}
	version := ""
	if len(o.Names) > 0 {
		version = o.Names[0].Tag
	}
	return spec.SaveResults(o.ResultFile, version, b.Results)
}

// readyResults checks before a build that the results can be written. It makes the folder if path ends in a slash.
func readyResults(path string) error {
	dir := filepath.Dir(path)
	switch {
	case path == "":
		return nil
	case strings.HasSuffix(path, "/"):
		if err := os.MkdirAll(path, 0o777); err != nil {
			return registry.Usagef("--result %q: %w", path, err)
		}
	case !isDir(dir):
		return registry.Usagef("--result %q: there is no directory %q; write DIR/ to create one", path, dir)
	}
	return nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func writeIndented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// writeFile writes a file of the user, whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	if err := registry.WriteFile(path, registry.WriteOptions{Mode: 0o644}, write); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}
