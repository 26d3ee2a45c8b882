package cli

import (
	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/compose/publish"
)

func (a *application) annotateCommand() *cobra.Command {
	var o app.AnnotateOptions
	var pf publishFlags
	var annotations []string
	var artifactType, subject string
	cmd := &cobra.Command{
		Use:   "annotate LIST [ENTRY]",
		Short: "Change annotations of a list or an entry, or an entry's platform",
		Long: `Change annotations of a list or, with ENTRY, annotations and platform of an entry. ENTRY is a platform (linux/arm64), a digest,
or the source that the entry came from.

A platform that contradicts the image's config is refused without --force. The list is the draft of that name, or with
--published the list in its registry, changed at once.`,
		Example: "  mtool annotate demo:v1 --annotation org.opencontainers.image.title=demo\n  mtool annotate demo:v1 linux/arm64 --unset old.key",
		Args:    oneOrTwo("mtool annotate LIST [ENTRY] --annotation KEY=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.List, err = parseListName(args[0]); err != nil {
				return err
			}
			if len(args) == 2 {
				o.Entry = args[1]
			}
			if o.Edit.Annotations, err = parsePairs("--annotation", annotations); err != nil {
				return err
			}
			if cmd.Flags().Changed("artifact-type") {
				o.ArtifactType = &artifactType
			}
			if cmd.Flags().Changed("subject") {
				if o.Subject, err = parseSubject(subject); err != nil {
					return err
				}
			}
			if o.Nothing() {
				return usagef("mtool annotate LIST [ENTRY] --annotation KEY=VALUE", "no change asked for")
			}
			o.PublishOptions = pf.PublishOptions
			return a.done(pf, func(env *app.Env) (publish.Done, error) { return env.Annotate(cmd.Context(), o) })
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&annotations, "annotation", nil, "set this annotation: `KEY=VALUE`")
	fl.StringArrayVar(&o.Edit.Unset, "unset", nil, "remove the annotation `KEY`")
	fl.StringVar(&o.Edit.OS, "os", "", "`OS` of the entry")
	fl.StringVar(&o.Edit.Arch, "arch", "", "`ARCH` of the entry")
	fl.StringVar(&o.Edit.Variant, "variant", "", "`VARIANT` of the entry\nv7, v8 …")
	fl.StringVar(&o.Edit.OSVersion, "os-version", "", "`VERSION` of the operating system")
	fl.StringArrayVar(&o.Edit.OSFeatures, "os-feature", nil, "`FEATURE` of the operating system")
	fl.BoolVar(&o.Edit.Child, "child", false,
		"annotate the image itself, not its entry\nits digest changes, and what is attested of the old one is dropped")
	fl.StringVar(&artifactType, "artifact-type", "", "artifactType of the list, a media `TYPE`\nempty removes it")
	fl.StringVar(&subject, "subject", "", "`IMAGE` that the list is about (OCI subject)\nempty removes it")
	mayBeEmpty(fl, "artifact-type", "takes away what the list has")
	mayBeEmpty(fl, "subject", "takes away what the list has")
	fl.BoolVar(&o.Edit.Force, "force", false, "accept a platform that the config contradicts\nor one that is not known")
	fl.BoolVar(&o.Published, "published", false, "change the list in its registry, not the draft")
	pf.addEdit(cmd.Flags())
	return cmd
}
