package cli

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/app/podman"
	"mtool/cmd/internal/print"
	"mtool/compose"
)

const podmanLong = `The words, flags, output and exit codes of podman manifest and buildah manifest, for scripts that use them. It differs
from podman in this:

  - lists are drafts of mtool, not images of podman: mtool ls shows them, and mtool's own commands work on them too;
  - tags are read again when the list is pushed, and one that has moved stops the push;
  - the same image name added again replaces what it brought before, and a failed create leaves nothing behind;
  - a push with two images for one platform is an error; what an image's config denies is a warning;
  - annotations are added to those that are there;
  - push takes all images, with --all or without.

A name without a registry is podman's localhost/NAME. Exit codes are 125 for failures, and 1 for a list that rm or exists
does not find.`

func (a *application) podmanManifestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "podman-manifest", Short: "Stand in for podman manifest and buildah manifest", Long: podmanLong,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.podmanCreate(), a.podmanAdd(), a.podmanAnnotate(), a.podmanRemove(), a.podmanPush(),
		a.podmanInspect(), a.podmanExists(), a.podmanRm())
	for _, c := range append(cmd.Commands(), cmd) {
		withPodmanCodes(c)
	}
	return cmd
}

// Podman's exit codes.
const (
	podmanFailed  = 125
	podmanMissing = 1
)

func (a *application) podmanCreate() *cobra.Command {
	var f podmanFlags
	var o podman.CreateOptions
	var annotations []string
	cmd := &cobra.Command{
		Use:   "create [OPTIONS] LIST [IMAGE...]",
		Short: "Create a manifest list, which may be empty",
		Args:  atLeast(1, "mtool podman-manifest create LIST [IMAGE...]"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.ListAnnotations, err = parsePairs("--annotation", annotations); err != nil {
				return err
			}
			return a.lists(f, args[1:], func(l podman.Lists) error {
				return a.printID(l.Create(cmd.Context(), args[0], args[1:], o))
			})
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&o.All, "all", false, "Add all images of sources that are lists")
	fl.BoolVarP(&o.Amend, "amend", "a", false, "Change the list if it exists")
	fl.StringArrayVar(&annotations, "annotation", nil, "Set annotation `KEY=VALUE` of the list")
	f.add(fl)
	return cmd
}

// podmanEntry are the flags about one image of a list.
type podmanEntry struct {
	platform              v1.Platform
	annotations, features []string
}

func (e *podmanEntry) add(fl *pflag.FlagSet) {
	fl.StringVar(&e.platform.Architecture, "arch", "", "Set architecture `ARCH`")
	fl.StringVar(&e.platform.OS, "os", "", "Set operating system `OS`")
	fl.StringVar(&e.platform.Variant, "variant", "", "Set architecture `VARIANT`")
	fl.StringVar(&e.platform.OSVersion, "os-version", "", "Set operating system `VERSION`")
	fl.StringSliceVar(&e.platform.OSFeatures, "os-features", nil, "Set operating system `FEATURE`")
	fl.StringSliceVar(&e.features, "features", nil, "Ignored, as by podman: `FEATURE`")
	fl.StringArrayVar(&e.annotations, "annotation", nil, "Set annotation `KEY=VALUE`")
}

func (a *application) podmanAdd() *cobra.Command {
	var f podmanFlags
	var e podmanEntry
	var o podman.AddOptions
	var artifact podmanArtifact
	cmd := &cobra.Command{
		Use:   "add [OPTIONS] LIST IMAGE|FILE [IMAGE|FILE...]",
		Short: "Add images, or an artifact of files, to a manifest list",
		Args:  atLeast(2, "mtool podman-manifest add LIST IMAGE [IMAGE...]"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Platform = e.platform
			if o.Annotations, err = parsePairs("--annotation", e.annotations); err != nil {
				return err
			}
			if err := artifact.check(); err != nil {
				return err
			}
			if artifact.of {
				return a.lists(f, []string{artifact.Subject}, func(l podman.Lists) error {
					return a.printID(l.AddArtifact(cmd.Context(), args[0], args[1:], artifact.Artifact, o))
				})
			}
			return a.lists(f, args[1:], func(l podman.Lists) error {
				return a.printID(l.Add(cmd.Context(), args[0], args[1:], o))
			})
		},
	}
	cmd.Flags().BoolVar(&o.All, "all", false, "Add all images of a source that is a list")
	artifact.add(cmd.Flags())
	e.add(cmd.Flags())
	f.add(cmd.Flags())
	return cmd
}

func (a *application) podmanAnnotate() *cobra.Command {
	var e podmanEntry
	var index bool
	var subject string
	cmd := &cobra.Command{
		Use:   "annotate [OPTIONS] LIST IMAGE",
		Short: "Change what a manifest list says of an image",
		Args:  oneOrTwo("mtool podman-manifest annotate LIST IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			p := e.platform
			o := app.AnnotateOptions{Edit: compose.Edit{
				OS: p.OS, Arch: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
			}}
			switch {
			case len(args) == 2 && !index:
				o.Entry = args[1]
			case len(args) == 1 && !index:
				return usagef("mtool podman-manifest annotate LIST IMAGE, or --index LIST", "no image named")
			}
			if o.Edit.Annotations, err = parsePairs("--annotation", e.annotations); err != nil {
				return err
			}
			if subject != "" {
				if o.Subject, err = parseSubject(subject); err != nil {
					return err
				}
			}
			return a.lists(podmanFlags{verify: true}, nil, func(l podman.Lists) error {
				return a.printID(l.Annotate(cmd.Context(), args[0], o))
			})
		},
	}
	e.add(cmd.Flags())
	cmd.Flags().BoolVar(&index, "index", false, "Change the list itself, not an image")
	cmd.Flags().StringVar(&subject, "subject", "", "With --index, set the subject of the list: `IMAGE`")
	return cmd
}

func (a *application) podmanRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove LIST IMAGE",
		Short: "Remove an image from a manifest list",
		Args:  atLeast(2, "mtool podman-manifest remove LIST IMAGE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lists(podmanFlags{verify: true}, nil, func(l podman.Lists) error {
				return a.printID(l.Remove(cmd.Context(), args[0], args[1:]))
			})
		},
	}
}

func (a *application) podmanPush() *cobra.Command {
	var f podmanFlags
	var o podman.PushOptions
	var format, digestFile string
	var all, signatures bool
	var packing podmanPacking
	cmd := &cobra.Command{
		Use:   "push [OPTIONS] LIST [DESTINATION]",
		Short: "Push a manifest list with its images",
		Args:  oneOrTwo("mtool podman-manifest push LIST DESTINATION"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Type, err = podmanType(format); err != nil {
				return err
			}
			if o.Compression, err = packing.options(o.Type); err != nil {
				return err
			}
			if len(args) == 2 {
				o.Dest = args[1]
			}
			return a.lists(f, args, func(l podman.Lists) error {
				done, err := l.Push(cmd.Context(), args[0], o)
				if err != nil {
					return err
				}
				return publishFlags{digestFile: digestFile}.writeFiles(done)
			})
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&all, "all", true, "Push the images too; they always are")
	fl.StringVarP(&format, "format", "f", "", "Make a list and images of this type: `oci|v2s2`")
	fl.StringVar(&digestFile, "digestfile", "", "Write the digest into this `FILE`")
	fl.BoolVar(&o.Rm, "rm", false, "Remove the list when it is pushed")
	fl.BoolVarP(&o.Rm, "purge", "p", false, "Same as --rm")
	fl.BoolVar(&signatures, "remove-signatures", false, "Push no signatures; none ever are")
	packing.add(fl)
	f.add(fl)
	return cmd
}

// podmanType reads the types that podman push knows.
func podmanType(format string) (compose.Type, error) {
	kinds := map[string]compose.Type{
		"": compose.TypeAuto, "oci": compose.TypeOCI, "v2s2": compose.TypeDocker, "docker": compose.TypeDocker,
	}
	kind, ok := kinds[format]
	if !ok {
		return "", usagef("--format oci, or --format v2s2", "unknown format %q", format)
	}
	return kind, nil
}

func (a *application) podmanInspect() *cobra.Command {
	var f podmanFlags
	cmd := &cobra.Command{
		Use:   "inspect [OPTIONS] LIST",
		Short: "Show a manifest list",
		Args:  exactly(1, "mtool podman-manifest inspect LIST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lists(f, args, func(l podman.Lists) error {
				body, err := l.Inspect(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return print.PodmanManifest(a.Out, body)
			})
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func (a *application) podmanExists() *cobra.Command {
	return &cobra.Command{
		Use:   "exists LIST",
		Short: "Check whether a manifest list exists: exit code 0, else 1",
		Args:  exactly(1, "mtool podman-manifest exists LIST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lists(podmanFlags{verify: true}, nil, func(l podman.Lists) error {
				return missing(l.Exists(cmd.Context(), args[0]))
			})
		},
	}
}

func (a *application) podmanRm() *cobra.Command {
	return &cobra.Command{
		Use:   "rm LIST [LIST...]",
		Short: "Remove manifest lists from this machine",
		Args:  atLeast(1, "mtool podman-manifest rm LIST [LIST...]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lists(podmanFlags{verify: true}, nil, func(l podman.Lists) error {
				removed, err := l.Rm(cmd.Context(), args)
				print.PodmanRemoved(a.Out, removed)
				return missing(err)
			})
		},
	}
}
