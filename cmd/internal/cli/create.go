package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/flow"
	"mtool/cmd/internal/print"
)

const createUsage = "mtool create LIST [--amend] IMAGE…"

const createLong = `Define a list: all of its entries, in the order given. The same command again gives the same list.

Each IMAGE is an image or a list (flattened, to any depth): a name in the local store or a registry, oci:DIR[:TAG],
oci-archive:FILE or docker-archive:FILE. --amend IMAGE is the same as IMAGE alone. The platform of an entry is read from the
image's config. BuildKit's attestations follow their image.

The list is a draft until it is pushed: by --push, or by mtool push LIST.`

type createFlags struct {
	sources *ordered
	editFlags
	push, dryRun bool
	tag          string
}

// editFlags are what create and amend share.
type editFlags struct {
	platforms, require, annotations []string
	mediaType, from, attestations   string
	force                           bool
}

func (f *editFlags) add(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.platforms, "platform", nil, "take only this `PLATFORM` of the images (repeatable; one that matches nothing is an error)")
	fl.StringSliceVar(&f.require, "require", nil, "fail unless the list serves this `PLATFORM` (repeatable)")
	fl.StringArrayVar(&f.annotations, "annotation", nil, "annotation of the list, `KEY=VALUE` (repeatable)")
	fl.StringVar(&f.mediaType, "type", "auto", "media type of the list: auto (OCI unless every entry is a Docker image), oci, docker")
	fl.StringVar(&f.from, "from", "", "look for the images only here: `store|registry`")
	fl.StringVar(&f.attestations, "attestations", "keep", "attestations of the images: keep, drop")
	fl.BoolVar(&f.force, "force", false, "accept platforms that contradict the config or are not known, and dropped platforms")
}

func (f *editFlags) options() (o flow.EditOptions, err error) {
	if err = oneOf("--type", f.mediaType, "auto", "oci", "docker"); err != nil {
		return o, err
	}
	if err = oneOf("--from", f.from, "", "store", "registry"); err != nil {
		return o, err
	}
	if err = oneOf("--attestations", f.attestations, "keep", "drop"); err != nil {
		return o, err
	}
	if o.Platforms, err = parsePlatforms(f.platforms); err != nil {
		return o, err
	}
	if o.Require, err = parsePlatforms(f.require); err != nil {
		return o, err
	}
	if o.Annotations, err = parsePairs("--annotation", f.annotations); err != nil {
		return o, err
	}
	o.Type, o.From, o.Attestations, o.Force = f.mediaType, f.from, f.attestations, f.force
	return o, nil
}

func (a *app) createCommand() *cobra.Command {
	f := createFlags{}
	cmd := &cobra.Command{
		Use:   "create LIST [--amend] IMAGE…",
		Short: "Define a list from images built apart",
		Long:  createLong,
		Example: `  mtool create demo:v1 --amend demo:v1-amd64 --amend demo:v1-arm64
  mtool create registry.example.com/demo:v1 demo:v1-amd64 demo:v1-arm64 --push`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCreate(cmd, f, args) },
	}
	f.sources = &ordered{flags: cmd.Flags()}
	cmd.Flags().Var(f.sources, "amend", "add this `IMAGE`; the same as a positional IMAGE")
	cmd.Flags().StringVarP(&f.tag, "tag", "t", "", "")
	_ = cmd.Flags().MarkHidden("tag")
	cmd.Flags().BoolVar(&f.push, "push", false, "publish the list at once; no draft is kept")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be written, write nothing")
	f.add(cmd.Flags())
	return cmd
}

func (a *app) runCreate(cmd *cobra.Command, f createFlags, args []string) error {
	if err := createForm(f, args); err != nil {
		return err
	}
	list, err := parseListName(args[0])
	if err != nil {
		return err
	}
	o := flow.CreateOptions{List: list, Push: f.push, DryRun: f.dryRun}
	if o.EditOptions, err = f.options(); err != nil {
		return err
	}
	if o.Sources, err = parseRefs(f.sources.merge(args)[1:]); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	made, err := env.Create(cmd.Context(), o)
	if err != nil {
		return err
	}
	print.Made(a.Out, made)
	return nil
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
	case len(args) == 0:
		return usagef(createUsage, "no list named")
	case len(args) == 1 && len(f.sources.values) == 0:
		return usagef(createUsage, "no images given for the list %q (an unexpanded variable or glob?)", args[0])
	}
	return nil
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
func (o *ordered) Type() string   { return "IMAGE" }

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
