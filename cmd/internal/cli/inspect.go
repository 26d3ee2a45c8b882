package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/flow"
	"mtool/cmd/internal/print"
)

const inspectLong = `Show a list or an image and check that every entry is what it claims to be.

For every entry: the descriptor in the list against the image's config, the child's presence, duplicates, entries without
a platform. --require fails when a platform is missing, --exact when there is anything else. Exit code 3 and one line a
finding when something is wrong.

A name with a registry host is looked up in that registry only; a bare name in drafts, the local store, then the registry.
Also store:NAME, draft:NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE.`

func (a *app) inspectCommand() *cobra.Command {
	var o flow.InspectOptions
	var require []string
	var output, format string
	var raw bool
	cmd := &cobra.Command{
		Use:   "inspect REF…",
		Short: "Show and verify every entry of a list",
		Long:  inspectLong,
		Example: `  mtool inspect --require linux/amd64,linux/arm64 registry.example.com/demo:v1
  mtool inspect -o json demo:v1`,
		Args: atLeast(1, "mtool inspect REF…"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err = oneOf("--output", output, "table", "json"); err != nil {
				return err
			}
			if format != "" {
				return usagef("mtool inspect -o json REF | jq …", "templates are not supported: %q", format)
			}
			if o.Refs, err = parseRefs(args); err != nil {
				return err
			}
			if o.Require, err = parsePlatforms(require); err != nil {
				return err
			}
			if o.Exact && len(o.Require) == 0 {
				return usagef("mtool inspect --require PLATFORM,… --exact REF", "--exact needs --require")
			}
			if raw && len(o.Refs) > 1 {
				return usagef("mtool inspect --raw REF", "--raw shows one reference, %d given", len(o.Refs))
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			if raw {
				body, err := env.Raw(cmd.Context(), o.Refs[0], o.From)
				if err == nil {
					_, err = a.Out.Write(body)
				}
				return err
			}
			seen, err := env.Inspect(cmd.Context(), o)
			if perr := print.Inspections(a.Out, output, seen); perr != nil {
				return perr
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&require, "require", nil, "fail unless the list serves this `PLATFORM` (repeatable, or a comma list)")
	fl.BoolVar(&o.Exact, "exact", false, "fail when there are other platforms than the required ones")
	fl.BoolVar(&o.Strict, "strict", false, "notes are failures")
	fl.BoolVar(&o.NoVerify, "no-verify", false, "only show; always exit 0 when it can be read")
	fl.StringVarP(&output, "output", "o", "table", "table or json")
	fl.BoolVar(&raw, "raw", false, "print the exact bytes of the list or image manifest")
	fl.StringVar(&o.From, "from", "", "look only here: `store|registry`")
	fl.StringVarP(&format, "format", "f", "", "")
	_ = fl.MarkHidden("format")
	return cmd
}
