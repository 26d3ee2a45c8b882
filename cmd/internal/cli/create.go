package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/compose/publish"
)

const strictOptionalHelp = "exit code 10 if an --optional platform is missing"

const createUsage = "mtool create LIST [--amend] IMAGE…"

const createLong = `Define a list: all of its entries, in the order given. The same command again gives the same list.

Each IMAGE is an image or a list (flattened, to any depth): a name in the local store or a registry, oci:DIR[:TAG],
oci-archive:FILE or docker-archive:FILE, docker-daemon:NAME, a digest in LIST's repository (sha256:…), or a descriptor in JSON,
as it is or in a file that ends in .json. --amend IMAGE is the same as IMAGE alone. The platform of an entry is read from the
image's config. BuildKit's attestations follow their image. Annotations, artifactType and subject of a list come along where it
is the only source and all of its images do (--drop-annotations leaves them out); what does not come along is named.

The list is a draft until it is pushed: by --push, or by mtool push LIST. --to NAME publishes it under NAME as well, in any
repository or registry, at once (a LIST without a registry host is then only a name, unless --push is given too). Everything
below the list is everywhere before a tag is written; a target that fails leaves the others alone (exit code 10), and the
same command again finishes the rest.

--semver v1.4.2 publishes LIST, a repository without a tag, as 1.4.2, and moves 1.4, 1 and latest where that moves them
forward. The versions that the repository has decide.

Instead of IMAGE the images may be described: by a file (--spec, see mtool help spec; LIST may be left out), by a template
(--template 'demo:v1-ARCHVARIANT' --platform linux/amd64,linux/arm/v7), or by the result files that builds on other machines
wrote (--from-files 'results/*.json'; all platforms of --require must be there, once, of one version, repository and run of the
pipeline; --any takes what there is).

--optional linux/riscv64 makes the list without that platform when its image is missing or can't be read: the image of that
platform by --template, --spec or --from-files, in a list, or with a name that says it (demo:v1-riscv64). The list says so in
its annotation mtool.missing, until amend --published adds the platform. A published list that has the platform is not
overwritten by one without it, even with --require (exit code 7; --force).`

type createFlags struct {
	sources *ordered
	editFlags
	publishFlags
	compress compressFlags
	push     bool
	sort     bool
	plain    bool
	to       []string
	semver   string
	tag      string
	optional []string
	strict   bool // about optional platforms
	spec     app.SpecOptions
}

// editFlags are what create and amend share.
type editFlags struct {
	platforms, require, annotations []string
	mediaType, from, attestations   string
	onDuplicate                     string
	artifactType, subject           string
	promote, convert, fixConfig     bool
	promoteLabels, noFlatten        bool
	kinds                           []string // of what may become of attestations
	changed                         func(string) bool
	wait                            time.Duration
	ignoreMissing, force            bool
}

func (f *editFlags) add(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.platforms, "platform", nil,
		"take only this `PLATFORM` of the images\none that no image has is an error")
	fl.StringSliceVar(&f.require, "require", nil, "fail unless the list serves this `PLATFORM`")
	fl.StringArrayVar(&f.annotations, "annotation", nil,
		"annotation of the list: `KEY=VALUE`\nmanifest-descriptor:KEY=VALUE of its entries, manifest-descriptor[PLATFORM]:… of one, manifest:… of the images themselves")
	fl.StringVar(&f.artifactType, "artifact-type", "", "artifactType of the list, a media `TYPE`\nempty removes it")
	fl.StringVar(&f.subject, "subject", "", "`IMAGE` that the list is about (OCI subject)\nempty removes it")
	mayBeEmpty(fl, "artifact-type", "takes away what the list has")
	mayBeEmpty(fl, "subject", "takes away what the list has")
	fl.BoolVar(&f.promote, "promote-annotations", false, "give the list the annotations that all images share")
	fl.BoolVar(&f.promoteLabels, "promote-labels", false,
		"give the list the labels that all images have alike\nas annotations")
	fl.BoolVar(&f.noFlatten, "no-flatten", false,
		"keep an IMAGE that is a list as a list within the list\nfew clients follow it")
	fl.BoolVar(&f.convert, "convert", false,
		"make every image one of --type oci or docker\nother digests; attestations are dropped. zstd layers can't be Docker's: add --compression gzip")
	fl.BoolVar(&f.fixConfig, "fix-config", false,
		"mend configs that spell their platform wrongly\nas no runtime does (x86_64, arm32v7): other digests; their attestations are dropped")
	f.changed = fl.Changed
	fl.StringVar(&f.mediaType, "type", "auto",
		"media type of the list: `auto|oci|docker`\nauto is OCI unless every entry is a Docker image")
	fl.StringVar(&f.from, "from", "", "look for the images only there: `store|registry`")
	fl.StringVar(&f.attestations, "attestations", "keep", "attestations of the images: `"+strings.Join(f.kinds, "|")+"`")
	fl.StringVar(&f.onDuplicate, "on-duplicate", "",
		"a second image of a platform: `error|replace|keep`\nreplace takes the later one, keep takes both")
	fl.BoolVar(&f.ignoreMissing, "ignore-missing", false, "leave out images that do not exist\nas long as one does")
	fl.DurationVar(&f.wait, "wait", 0, "wait up to this `DURATION` for missing images")
	fl.BoolVar(&f.force, "force", false, "accept dropped or unknown platforms\nand ones that contradict the config")
}

func (f *editFlags) options() (o app.EditOptions, err error) {
	if err = oneOf("--type", f.mediaType, "auto", "oci", "docker"); err != nil {
		return o, err
	}
	if err = oneOf("--from", f.from, "", "store", "registry"); err != nil {
		return o, err
	}
	if err = oneOf("--attestations", f.attestations, f.kinds...); err != nil {
		return o, err
	}
	if err = oneOf("--on-duplicate", f.onDuplicate, "", "error", "replace", "keep"); err != nil {
		return o, err
	}
	if o.Platforms, err = parsePlatforms(f.platforms); err != nil {
		return o, err
	}
	if o.Require, err = parsePlatforms(f.require); err != nil {
		return o, err
	}
	if o.Targeted, err = parseTargeted(f.annotations); err != nil {
		return o, err
	}
	if f.changed("artifact-type") {
		o.ArtifactType = &f.artifactType
	}
	if f.changed("subject") {
		if o.Subject, err = parseSubject(f.subject); err != nil {
			return o, err
		}
	}
	o.Promote, o.PromoteLabels, o.Convert, o.NoFlatten, o.FixConfig = f.promote, f.promoteLabels, f.convert, f.noFlatten,
		f.fixConfig
	if err = wholeLists(o); err != nil {
		return o, err
	}
	o.Type, o.From, o.Attestations, o.Force = f.mediaType, f.from, f.attestations, f.force
	if !f.changed("attestations") {
		o.Attestations = "" // kept where that is no lie
	}
	o.OnDuplicate, o.Wait, o.IgnoreMissing = f.onDuplicate, f.wait, f.ignoreMissing
	return o, nil
}

// wholeLists refuses, where lists are kept within the list, what is about the images in them.
func wholeLists(o app.EditOptions) error {
	if !o.NoFlatten || len(o.Platforms) == 0 && !o.Convert && !o.FixConfig {
		return nil
	}
	return usagef("",
		"--no-flatten keeps lists as they are: it can't be combined with --platform, --convert or --fix-config")
}

func (a *application) createCommand() *cobra.Command {
	f := createFlags{}
	cmd := &cobra.Command{
		Use:   "create LIST [--amend] IMAGE…",
		Short: "Define a list from images that were built separately",
		Long:  createLong,
		Example: `  mtool create demo:v1 --amend demo:v1-amd64 --amend demo:v1-arm64
  mtool create registry.example.com/demo:v1 demo:v1-amd64 demo:v1-arm64 --push
  mtool create r1.example.com/demo:v1 demo:v1-amd64 demo:v1-arm64 \
    --to r2.example.com/demo:v1 --to r1.example.com/demo:latest
  mtool create registry.example.com/demo --semver v1.4.2 demo:v1-amd64 …`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCreate(cmd.Context(), f, args) },
	}
	f.sources = &ordered{flags: cmd.Flags()}
	cmd.Flags().Var(f.sources, "amend", "add this `IMAGE`; the same as a positional IMAGE")
	cmd.Flags().StringVarP(&f.tag, "tag", "t", "", "")
	_ = cmd.Flags().MarkHidden("tag")
	cmd.Flags().BoolVar(&f.push, "push", false, "publish the list at once; no draft is kept")
	cmd.Flags().StringArrayVar(&f.to, "to", nil,
		"publish the list under this `NAME` too\nin other repositories and registries")
	cmd.Flags().StringSliceVar(&f.optional, "optional", nil,
		"make the list without this `PLATFORM` if need be\nif its image is missing or can't be read; the list says so")
	cmd.Flags().BoolVar(&f.strict, "strict-optional", false, strictOptionalHelp)
	cmd.Flags().BoolVar(&f.sort, "sort", false, "order the entries by platform instead of as given")
	cmd.Flags().BoolVar(&f.plain, "drop-annotations", false,
		"leave a source list's own annotations out\nits artifactType and subject too")
	cmd.Flags().StringVar(&f.semver, "semver", "",
		"publish as this `VERSION`, and move latest\nwith major.minor and major; LIST is a repository then")
	cmd.Flags().StringVar(&f.spec.File, "spec", "",
		"read what the list is made of from this YAML `FILE`\n- is standard input")
	cmd.Flags().StringVar(&f.spec.Template, "template", "",
		"take the image of this `NAME` for each --platform\nARCH, OS and VARIANT stand for the platform's")
	cmd.Flags().StringVar(&f.spec.Results, "from-files", "",
		"take the images that result files of this `GLOB` name\nwith --require, or --any")
	cmd.Flags().BoolVar(&f.spec.Any, "any", false,
		"with --from-files: take the files that there are\nwhatever their runs and repositories; --require may be left out")
	f.kinds = []string{"keep", "drop", "referrers"}
	f.editFlags.add(cmd.Flags())
	f.publishFlags.add(cmd.Flags())
	f.compress.add(cmd.Flags())
	return cmd
}

func (a *application) runCreate(ctx context.Context, f createFlags, args []string) error {
	if err := createForm(f, args); err != nil {
		return err
	}
	o, err := f.createOptions(args)
	if err != nil {
		return err
	}
	f.spec.In = a.In
	return a.done(f.publishFlags, func(env *app.Env) (publish.Done, error) {
		if err := env.Describe(ctx, &o, f.spec); err != nil {
			return publish.Done{}, err
		}
		done, err := env.Create(ctx, o)
		if err == nil && f.strict {
			err = compose.CheckMissing(compose.MissingFrom(done.Root))
		}
		return done, err
	})
}

func (f createFlags) createOptions(args []string) (o app.CreateOptions, err error) {
	o = app.CreateOptions{
		PublishOptions: f.PublishOptions, Push: f.push, Sort: f.sort, SemVer: f.semver,
		DropAnnotations: f.plain,
	}
	if len(args) > 0 {
		if o.List, err = parseListName(args[0]); err != nil {
			return o, err
		}
	}
	if f.semver != "" && strings.HasSuffix(args[0], ":"+o.List.Tag) {
		return o, usagef("mtool create "+o.List.WithTag("").Familiar()+" … --semver "+f.semver,
			"--semver gives the tags, and %q names one", args[0])
	}
	if err := f.compression(&o.Compression); err != nil {
		return o, err
	}
	if o.EditOptions, err = f.options(); err != nil {
		return o, err
	}
	if o.To, err = parseRefs(f.to); err != nil {
		return o, err
	}
	if o.Optional, err = parsePlatforms(f.optional); err != nil {
		return o, err
	}
	if err := compose.CheckOptional(o.Optional, o.Platforms, o.Require); err != nil {
		return o, err
	}
	if len(args) > 0 && f.described() == 0 {
		o.Sources, o.Overrides, err = compose.ParseSources(o.List, f.sources.merge(args)[1:])
	}
	return o, badInput(err)
}

// createForm answers the forms of other tools with the line that does the same here.
func createForm(f createFlags, args []string) error {
	switch {
	case f.tag != "":
		return usagef("mtool create "+strings.Join(append([]string{f.tag}, f.sources.merge(args)...), " "),
			"-t is not a flag of create: the list is the first argument")
	case len(f.sources.at) > 0 && f.sources.at[0] == 0:
		return usagef("mtool create "+strings.Join(f.sources.merge(args), " "),
			"--amend stands before the list: here it takes the image that follows it, and the list comes first")
	}
	if err := describedForm(f, args); err != nil {
		return err
	}
	switch {
	case len(args) == 0 && f.spec.File != "" && f.semver == "":
		return nil
	case len(args) == 0:
		return usagef(createUsage, "no list named")
	case f.described() == 1:
		return nil
	case len(args) == 1 && len(f.sources.values) == 0:
		return usagef(createUsage, "no images given for the list %q (an unexpanded variable or glob?)", args[0])
	}
	return nil
}

// describedForm answers descriptions that are not enough, or too much.
func describedForm(f createFlags, args []string) error {
	switch {
	case f.described() > 1 || f.described() == 1 && len(f.sources.merge(args)) > 1:
		return usagef(createUsage,
			"name the images in one way: as arguments, or by one of --spec, --template and --from-files")
	case f.spec.Any && f.spec.Results == "":
		return usagef("--from-files 'results/*.json' --any", "--any needs --from-files")
	case f.spec.Results != "" && !f.spec.Any && len(f.require) == 0 && len(f.platforms) == 0:
		return usagef("add --require linux/amd64,linux/arm64, or --any to take what there is",
			"--from-files without --require would make a list of however many results are there")
	}
	return nil
}

// described counts the ways in which the images are described instead of named.
func (f createFlags) described() int {
	n := 0
	for _, way := range []string{f.spec.File, f.spec.Template, f.spec.Results} {
		if way != "" {
			n++
		}
	}
	return n
}

// ordered is a repeatable flag that remembers where among the positional arguments each value stood.
type ordered struct {
	flags  *pflag.FlagSet
	values []string
	at     []int
}

func (o *ordered) Set(v string) error {
	o.values, o.at = append(o.values, v), append(o.at, o.flags.NArg())
	return nil
}

func (o *ordered) String() string { return "" }
func (o *ordered) Type() string   { return listValue }

// merge puts the flag's values back among the positional arguments, in the order typed.
func (o *ordered) merge(args []string) []string {
	merged := make([]string, 0, len(args)+len(o.values))
	next := 0
	for i := 0; i <= len(args); i++ {
		for ; next < len(o.values) && o.at[next] == i; next++ {
			merged = append(merged, o.values[next])
		}
		if i < len(args) {
			merged = append(merged, args[i])
		}
	}
	return merged
}
