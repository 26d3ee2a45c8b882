package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/registry"
)

// extraFlags are all flags but those for what to build and where.
type extraFlags struct {
	contexts, secrets, ssh, hosts, annotations, outputs []string
	shmSize, byDigest, reproduce, reuse                 string
	push, load, preflight, check, githubOutput          bool
	strictOptional                                      bool
	compress                                            compressFlags
	build.SpecOptions
}

func (f *extraFlags) add(fl *pflag.FlagSet) {
	f.addDockerfile(fl)
	f.addSteps(fl)
	f.addResults(fl)
}

func (f *extraFlags) addDockerfile(fl *pflag.FlagSet) {
	fl.BoolVar(&f.preflight, "preflight", false, "check what would be built, and stop before anything runs")
	fl.BoolVar(&f.check, "check", false,
		"check the Dockerfile by BuildKit's rules, and stop\nexit code 3 when a rule is broken")
	fl.BoolVar(&f.Strict, "strict", false,
		"fail where the Dockerfile names an architecture\nor hides a TARGET argument, instead of warning (exit code 3)")
	fl.StringVar(&f.Syntax, "syntax", "auto",
		"what reads the Dockerfile: auto, builtin, or an `IMAGE`\nauto is the image of a \"# syntax=\" line, or BuildKit's own frontend where that will do or the image can't be had")
	fl.StringArrayVar(&f.contexts, "build-context", nil,
		"another context for an image or stage: `NAME=DIR`\nor NAME=docker-image://REF, oci-layout://DIR[:TAG], store:REF, or the address of a Git repository or of a file, which is /context then")
	fl.BoolVar(&f.SkipDevices, "skip-devices", false, "leave out devices in the context and in what -o writes")
	fl.BoolVar(&f.Pull, "pull", false, "take base images from their registry, not the store")
}

func (f *extraFlags) addSteps(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.secrets, "secret", nil, "secret for RUN --mount=type=secret: `id=ID,src=FILE`\nor id=ID,env=NAME")
	fl.StringArrayVar(&f.ssh, "ssh", nil,
		"agent or keys for RUN --mount=type=ssh: `ID[=SOCKET]`\nor ID=KEY; default is the ID of a mount without one")
	fl.StringArrayVar(&f.hosts, "add-host", nil, "a name for RUN steps: `HOST:IP`\nthe IP host-gateway is the machine that they run on")
	fl.StringVar(&f.Network, "network", "default", "network of RUN steps: `default|none|host|sandbox`\nsandbox is a network of each step's own, from which this machine's 127.0.0.1 can't be reached")
	fl.StringArrayVar(&f.Ulimits, "ulimit", nil, "limit for RUN steps: `NAME=SOFT[:HARD]`")
	fl.StringVar(&f.shmSize, "shm-size", "", "`SIZE` of /dev/shm in RUN steps, as in 128m (default 64m)")
	fl.StringVar(&f.CgroupParent, "cgroup-parent", "", "parent `CGROUP` of RUN steps\nwhere the worker has cgroups")
	fl.StringSliceVar(&f.NoCacheStages, "no-cache-filter", nil, "run the steps of this `STAGE` again")
	fl.StringArrayVar(&f.CacheFrom, "cache-from", nil,
		"take cached steps from this `CACHE`\na REF, type=registry,ref=…, type=local,src=DIR or type=gha; each of several platforms has its own")
	fl.StringArrayVar(&f.CacheTo, "cache-to", nil,
		"write cached steps to this `CACHE`\na REF, type=registry,ref=…[,mode=max], type=local,dest=DIR, type=gha[,scope=…] or type=inline")
}

func (f *extraFlags) addResults(fl *pflag.FlagSet) {
	fl.StringArrayVarP(&f.outputs, "output", "o", nil,
		"make this too: `DIR`, or type=oci,dest=FILE …\ntype=local|tar|oci|docker|registry,dest=PATH; - is a tar on standard output; without -t no image is stored. compression=, compression-level= and force-compression= are --compression")
	fl.BoolVar(&f.push, "push", false, "push the image or the list under its name")
	fl.BoolVar(&f.load, "load", false,
		"load into Docker Engine: the list if it keeps lists,\nelse the image that the engine runs")
	f.compress.add(fl)
	fl.StringVar(&f.reproduce, "reproduce", "",
		"build again, and fail unless it is `REF`, byte for byte\nwithout the cache; nothing is stored (exit code 3)")
	fl.StringVar(&f.reuse, "reuse", "",
		"take what `REF` has instead of building it, if unchanged\nan image whose files, base images, arguments and frontend would be the same; a REF that does not exist yet is no error")
	fl.StringVar(&f.byDigest, "push-by-digest", "",
		"push to this `REPO` without a tag, for a later list\nthat another job makes; without -t nothing stays in the store")
	fl.BoolVar(&f.githubOutput, "github-output", false, githubOutputHelp)
	fl.StringArrayVar(&f.annotations, "annotation", nil,
		"annotation of the image: `KEY=VALUE`\nindex:KEY=VALUE is of the list")
	fl.StringVar(&f.Provenance, "provenance", "false", "attach how it was built: `true|false|mode=min|mode=max`")
	fl.StringVar(&f.SBOM, "sbom", "",
		"attach what is in it, found by this `generator=IMAGE`\nany image that follows BuildKit's protocol of scanners")
}

// addFiles adds the flags whose values belong to package app.
func addFiles(fl *pflag.FlagSet, o *app.BuildOptions) {
	fl.StringVar(&o.ResultFile, "result", "",
		"write what --push-by-digest pushed into this `FILE`\nrepository, digest and platform of each image, once the registry has confirmed it (mtool.result/v1; for mtool create --from-files); DIR/ gets a file for each, whose name holds repository, version and platform")
	fl.StringVar(&o.IDFile, "iidfile", "", "write the digest of the image, or list, into this `FILE`")
	fl.StringVar(&o.MetadataFile, "metadata-file", "", "write docker buildx's metadata into this `FILE`")
	fl.StringVar(&o.Epoch, "source-date-epoch", "",
		"same bytes each time: no time after `SECONDS`, or git\nall times in the image are at most SECONDS since 1970, and provenance of mtool's own worker has none; git: the time of the context's commit (default: $SOURCE_DATE_EPOCH)")
}

// into parses the flags into the options of package app.
func (f *extraFlags) into(o *app.BuildOptions) (err error) {
	o.SpecOptions = f.SpecOptions
	if o.Contexts, err = parseContexts(f.contexts); err != nil {
		return err
	}
	if err := errors.Join(checkCaches("--cache-from", f.CacheFrom), checkCaches("--cache-to", f.CacheTo)); err != nil {
		return err
	}
	if o.Secrets, err = parseSecrets(f.secrets); err != nil {
		return err
	}
	if o.SSH, err = parseSSH(f.ssh); err != nil {
		return err
	}
	if o.AddHosts, err = parseHosts(f.hosts); err != nil {
		return err
	}
	if err := checkUlimits(f.Ulimits); err != nil {
		return err
	}
	if o.ShmSize, err = parseSize("--shm-size", f.shmSize); err != nil {
		return err
	}
	if o.Annotations, o.ListAnnotations, err = splitAnnotations(f.annotations); err != nil {
		return err
	}
	if f.SBOM == "true" {
		return usagef("--sbom generator=docker/buildkit-syft-scanner", "--sbom needs the image of the generator to run")
	}
	if err := errors.Join(checkAttestation("--provenance", f.Provenance), checkAttestation("--sbom", f.SBOM)); err != nil {
		return err
	}
	if err := oneOf("--network", f.Network, "default", "none", "host", "sandbox"); err != nil {
		return err
	}
	return f.results(o)
}

// checkAttestation refuses settings without a value; the words true and false are none.
func checkAttestation(flag, text string) error {
	if !strings.Contains(text, "=") {
		return nil
	}
	_, err := parseFields(flag, text)
	return err
}

// results parses what is made of the build.
func (f *extraFlags) results(o *app.BuildOptions) error {
	out, err := parseOutputs(f.outputs)
	if err == nil {
		o.Compression, err = f.compress.with(out.compress)
	}
	if err != nil {
		return err
	}
	o.Outputs, o.Push, o.Load = out.files, f.push || out.push, f.load || out.load
	o.Names = append(o.Names, out.names...)
	if f.byDigest != "" {
		if o.ByDigest, err = parseRepository(f.byDigest); err != nil {
			return err
		}
	}
	if err := errors.Join(f.byDigestFits(o), f.reuseFits(o)); err != nil {
		return err
	}
	return f.fits(o, out)
}

// fits refuses flags that exclude each other.
func (f *extraFlags) fits(o *app.BuildOptions, out outputs) error {
	unnamed := len(o.Names) == 0
	needsName := o.Push || o.Load
	makesNothing := len(o.Outputs) == 0 && !out.noImage && f.byDigest == "" && !f.looksOnly()
	published := needsName || f.byDigest != "" ||
		slices.ContainsFunc(o.Outputs, func(b app.BuildOutput) bool { return b.Type == "oci" })
	switch {
	case !published && !o.Compression.IsZero():
		return usagef("add --push, or -o type=oci,dest=FILE", "--compression is for what is pushed or exported, and nothing is")
	case unnamed && (o.IDFile != "" || o.MetadataFile != ""):
		return usagef("-t NAME", "--iidfile and --metadata-file describe an image, and without a name none is made")
	case unnamed && (needsName || makesNothing):
		return usagef("mtool build --arch ARCH -t NAME CONTEXT", "no name given for the image")
	}
	return nil
}

// byDigestFits refuses flags that need a tag.
func (f *extraFlags) byDigestFits(o *app.BuildOptions) error {
	switch {
	case o.ResultFile != "" && f.byDigest == "":
		return usagef("--push-by-digest REPO --result "+o.ResultFile,
			"--result tells what was pushed by digest, and nothing is")
	case o.Push && f.byDigest != "":
		return usagef("leave --push out: mtool create --from-files … --push writes the tag",
			"--push writes a tag, and --push-by-digest is for images without one")
	}
	return nil
}

// reuseFits parses --reuse and refuses what can't be made of an image that is taken.
func (f *extraFlags) reuseFits(o *app.BuildOptions) (err error) {
	if f.reuse == "" {
		return nil
	}
	if o.Reuse, err = registry.ParseRef(f.reuse); err != nil {
		return badInput(err)
	}
	fromStore := len(o.Platforms) > 1 || !o.Compression.IsZero()
	switch {
	case o.NoCache, len(f.NoCacheStages) > 0:
		return usagef("leave one of them out", "--no-cache builds everything again, and --reuse what has changed")
	case f.looksOnly():
		return usagef("leave --reuse out", "--preflight, --check and --reproduce take no image from elsewhere")
	case slices.ContainsFunc(o.Outputs, func(b app.BuildOutput) bool { return b.Type != "oci" || !fromStore }):
		return usagef("mtool build … --push, then -o from what was pushed: mtool save REF -o FILE",
			"-o makes files of what was built, and --reuse may build nothing")
	case len(o.Names) == 0 && f.byDigest == "":
		return usagef("-t NAME", "--reuse is for an image, and without a name none is made")
	}
	return nil
}

// looksOnly reports whether the command ends before anything is stored.
func (f *extraFlags) looksOnly() bool { return f.preflight || f.check || f.reproduce != "" }

// parseRepository is a repository's name, without a tag.
func parseRepository(name string) (registry.Ref, error) {
	ref, err := registry.ParseRef(name)
	switch {
	case err != nil:
		return ref, badInput(err)
	case ref.IsFile(), ref.Transport == registry.TransportStore, ref.Transport == registry.TransportDraft:
		return ref, usagef("", "%q is not a repository in a registry", name)
	case ref.Digest.Hex != "" || ref.WithTag("").Name() != ref.Name() && ref.Tag != "latest":
		return ref, usagef("--push-by-digest "+ref.Repository(), "%q has a tag or digest: a repository alone is wanted", name)
	}
	ref.Tag = ""
	return ref, nil
}
