package build

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher/ignorefile"

	"mtool/build/device"
	"mtool/build/fingerprint"
	"mtool/build/snapshot"
	"mtool/inspect/platform"
	"mtool/registry/regular"
	"mtool/registry/remote"
)

// FingerprintAnnotation is the annotation of an image with the digest of what it was built from:
// fingerprint.Inputs.Digest. Provenance has it as an argument of the request, under the same name.
const FingerprintAnnotation = "mtool.inputs"

// fingerprintOf is the digest of what a platform is built from, or why there is none.
type fingerprintOf struct {
	digest string
	err    error
}

// fingerprints returns the digest of each platform, in their order. It starts no worker.
func fingerprints(ctx context.Context, job Job) ([]fingerprintOf, error) {
	job.Options.Note, job.Spec = nil, withEpoch(job.Spec, os.LookupEnv) // the build itself says the same
	d, err := readDockerfile(job.Spec)
	if err != nil {
		return nil, err
	}
	job = chooseFrontend(ctx, job, d)
	left, errs, err := job.possible(ctx, d)
	if err != nil {
		return nil, err
	}
	p, err := newPool(ctx, left, d, true)
	if err != nil {
		return nil, err
	}
	defer p.close() //nolint:errcheck // nothing is in flight
	files, err := digestContexts(ctx, job.Spec)
	if err != nil {
		return nil, err
	}
	all, k := make([]fingerprintOf, len(errs)), 0
	for i, err := range errs {
		if err != nil {
			all[i].err = err
			continue
		}
		in, err := p.inputs(ctx, left, d, k)
		k++
		if all[i].err = cmp.Or(err, pinnedContexts(job.Spec)); all[i].err == nil {
			in.Files = files
			all[i].digest = in.Digest()
		}
	}
	return all, nil
}

// inputs returns what platform number i is built from, but for the files. An error says what can't be known.
func (p *pool) inputs(ctx context.Context, job Job, d *dockerfile, i int) (in fingerprint.Inputs, err error) {
	job.Spec.VCS = nil // the files count, not the commit
	target, w, n := job.Spec.Platforms[i], p.of[i], p.plan.requirements[i]
	if w.engine != nil {
		return in, errors.New("the base images are chosen by Docker Engine itself")
	}
	if len(n.Unpinned) > 0 {
		return in, fmt.Errorf("what it reads is not known before: %s", n.Unpinned[0])
	}
	in.Platform, in.Dockerfile = platform.Format(target), strings.Join(d.lines, "\n")
	in.BuildOn = platform.Format(w.buildMachine())
	if in.Frontend, err = w.frontend(ctx, job); err != nil {
		return in, err
	}
	in.Bases = map[string]string{}
	for _, b := range n.Bases {
		found := p.plan.found(i, b)
		if found.Digest.Hex == "" {
			return in, fmt.Errorf("the digest of base image %q is not known", b.Name)
		}
		in.Bases[b.Name+" "+platform.Format(b.Platform)] = found.Digest.String()
	}
	in.Request = attrs(job.Spec, target, nil, remote.Proxy{})
	delete(in.Request, "image-resolve-mode") // the bases are known
	delete(in.Request, "filename")           // and so is the text
	delete(in.Request, "no-cache")
	for k, v := range job.Spec.Annotations {
		in.Request["annotation:"+k] = v
	}
	for _, s := range job.Spec.Secrets {
		in.Request["secret:"+s.ID] = ""
	}
	for _, s := range job.Spec.SSH {
		in.Request["ssh:"+s.ID] = ""
	}
	for _, a := range job.Spec.Allow {
		in.Request["allow:"+a] = ""
	}
	return in, nil
}

var linkedBuildKit = embeddedVersion // tests have none

// frontend returns the version of what reads the Dockerfile.
func (w *worker) frontend(ctx context.Context, job Job) (string, error) {
	image := job.Spec.Syntax
	if image != builtin {
		if job.Options.Client == nil {
			return "", fmt.Errorf("the digest of the frontend %q is not known", image)
		}
		a := askFor(ctx, job.Options, image)
		if a.err != nil {
			return "", fmt.Errorf("the digest of the frontend %q is not known: %w", image, a.err)
		}
		return a.root.Digest.String(), nil
	}
	version := linkedBuildKit()
	if !w.embedded() {
		version = ""
		if answer, err := w.client.Info(ctx); err == nil {
			version = answer.BuildkitVersion.Version
		}
	}
	if version == "" {
		return "", fmt.Errorf("%s does not say which BuildKit it is", w)
	}
	return version, nil
}

// digestContexts returns the digests of the directories of a job.
func digestContexts(ctx context.Context, s Spec) (map[string]string, error) {
	all := map[string]string{}
	own, err := readIgnore(filepath.Dir(s.Dockerfile), filepath.Base(s.Dockerfile)+ignoreFile)
	if err != nil {
		return nil, err
	}
	if all[""], err = digestContext(ctx, s, s.Context, own, s.Entries); err != nil {
		return nil, err
	}
	for name, given := range s.Contexts {
		if isImage(given) || isRemote(given) {
			continue
		}
		if all[contextKey(name)], err = digestContext(ctx, s, given, nil, nil); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// digestContext returns the digest of what a worker may read of dir. Without an ignore file of the Dockerfile's own,
// that in dir counts.
func digestContext(
	ctx context.Context, s Spec, dir string, ignore []byte, entries map[string]snapshot.Entry,
) (string, error) {
	tree, err := snapshot.New(dir, snapshot.Options{
		Entries: entries, Devices: snapshot.Devices{Skip: s.SkipDevices}, Hidden: device.Attribute,
	})
	if err != nil {
		return "", err
	}
	if ignore == nil {
		if ignore, err = readIgnore(dir, ignoreFile); err != nil {
			return "", err
		}
	}
	ignored, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return "", fmt.Errorf("reading the ignore file of %q: %w", dir, err)
	}
	sum, err := fingerprint.Files(ctx, tree, ignored)
	if err = cmp.Or(tree.Err(), err); err != nil {
		return "", fmt.Errorf("reading the build context: %w", err)
	}
	return sum, nil
}

// pinnedContexts returns an error if a named context is an address whose content may change.
func pinnedContexts(s Spec) error {
	for name, given := range s.Contexts {
		if isRemote(given) && !isImage(given) && !pinned(given) {
			return fmt.Errorf("build context %s=%s may change", name, given)
		}
	}
	return nil
}

// pinned reports whether an address names a commit of a Git repository in full.
func pinned(address string) bool {
	ref, isGit, err := dfgitutil.ParseGitRef(address)
	return err == nil && isGit && (isCommit(ref.Ref) || isCommit(ref.Checksum))
}

func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// unpinned returns the sources of an ADD that may be something else the next time.
func unpinned(c *instructions.AddCommand) (all []string) {
	if c.Checksum != "" && !strings.Contains(c.Checksum, "$") {
		return nil
	}
	for _, source := range c.SourcePaths {
		if mayBeRemote(source) && !pinned(source) {
			all = append(all, c.String())
		}
	}
	return all
}

// mayBeRemote reports whether a source is an address, or may be one once its variables are known.
func mayBeRemote(source string) bool {
	known, _, variable := strings.Cut(source, "$")
	return slices.ContainsFunc([]string{"http://", "https://", "git://", "ssh://", "git@"}, func(scheme string) bool {
		return strings.HasPrefix(source, scheme) || variable && strings.HasPrefix(scheme, known)
	}) || isRemote(source)
}

// readIgnore returns an ignore file of dir, nil if there is none. checkIgnores has found it readable.
func readIgnore(dir, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // opened for reading only
	body, err := regular.ReadIn(root, name, maxIgnore)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return body, err
}
