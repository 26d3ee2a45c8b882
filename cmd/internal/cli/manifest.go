package cli

import (
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/app/docker"
	"mtool/cmd/internal/print"
	"mtool/compose"
	"mtool/registry"
)

const manifestLong = `The words, flags and output of docker manifest, for scripts that use it. It differs from docker in this:

  - images may be lists themselves, come from any registry, and from the local store;
  - nothing is cached: tags are read again when the list is pushed, and one that has moved stops the push;
  - create --amend replaces the entry of the same platform, and a failed create leaves nothing behind;
  - a platform that an image's config denies is a warning; a push with two images for one platform is an error;
  - requests are repeated when a registry asks to wait;
  - push --confirm reads back what was published.

Lists that are not pushed are drafts: mtool ls shows them, and mtool's own commands work on them too.`

func (a *application) manifestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "manifest", Short: "Stand in for docker manifest", Long: manifestLong,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.manifestCreate(), a.manifestAnnotate(), a.manifestInspect(), a.manifestPush(), a.manifestRm())
	return cmd
}

func (a *application) manifestCreate() *cobra.Command {
	var amend, insecure bool
	cmd := &cobra.Command{
		Use:   "create MANIFEST_LIST MANIFEST [MANIFEST...]",
		Short: "Create a local manifest list for annotating and pushing to a registry",
		Args:  atLeast(2, "mtool manifest create MANIFEST_LIST MANIFEST [MANIFEST...]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parseListName(args[0])
			if err != nil {
				return err
			}
			err = a.insecurely(insecure, args, func(env *app.Env) error {
				return docker.Lists{Env: env}.Create(cmd.Context(), list, args[1:], amend)
			})
			if err == nil {
				print.DockerCreated(a.Out, list)
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&amend, "amend", "a", false, "Amend an existing manifest list")
	insecureFlag(cmd, &insecure)
	return cmd
}

func (a *application) manifestAnnotate() *cobra.Command {
	var d compose.Edit
	cmd := &cobra.Command{
		Use:   "annotate [OPTIONS] MANIFEST_LIST MANIFEST",
		Short: "Add additional information to a local image manifest",
		Args:  exactly(2, "mtool manifest annotate MANIFEST_LIST MANIFEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parseListName(args[0])
			if err != nil {
				return err
			}
			o := app.AnnotateOptions{List: list, Entry: args[1], Edit: d}
			return a.insecurely(false, args, func(env *app.Env) error {
				return docker.Lists{Env: env}.Annotate(cmd.Context(), o)
			})
		},
	}
	cmd.Flags().StringVar(&d.Arch, "arch", "", "Set architecture `ARCH`")
	cmd.Flags().StringVar(&d.OS, "os", "", "Set operating system `OS`")
	cmd.Flags().StringSliceVar(&d.OSFeatures, "os-features", nil, "Set operating system `FEATURE`")
	cmd.Flags().StringVar(&d.OSVersion, "os-version", "", "Set operating system `VERSION`")
	cmd.Flags().StringVar(&d.Variant, "variant", "", "Set architecture `VARIANT`")
	return cmd
}

func (a *application) manifestInspect() *cobra.Command {
	var verbose, insecure bool
	cmd := &cobra.Command{
		Use:   "inspect [OPTIONS] [MANIFEST_LIST] MANIFEST",
		Short: "Display an image manifest, or manifest list",
		Args:  oneOrTwo("mtool manifest inspect [MANIFEST_LIST] MANIFEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args[:1])
			if err != nil {
				return err
			}
			entry := ""
			if len(args) == 2 {
				entry = args[1]
			}
			return a.insecurely(insecure, args, func(env *app.Env) error {
				d, err := env.ManifestInspect(cmd.Context(), refs[0], entry)
				if err == nil && (verbose || d.Entry != nil) {
					err = d.Unread()
				}
				if err != nil {
					return err
				}
				return print.DockerManifest(a.Out, d, verbose)
			})
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "Output additional info including layers and platform")
	insecureFlag(cmd, &insecure)
	return cmd
}

func (a *application) manifestPush() *cobra.Command {
	var purge, insecure, confirm bool
	cmd := &cobra.Command{
		Use:   "push [OPTIONS] MANIFEST_LIST",
		Short: "Push a manifest list to a repository",
		Args:  exactly(1, "mtool manifest push MANIFEST_LIST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parseListName(args[0])
			if err != nil {
				return err
			}
			return a.insecurely(insecure, args, func(env *app.Env) error {
				done, err := docker.Lists{Env: env}.Push(cmd.Context(), app.PushOptions{
					PublishOptions: app.PublishOptions{Confirm: confirm}, List: list, Purge: purge,
				})
				print.DockerDigest(a.Out, done)
				return err
			})
		},
	}
	cmd.Flags().BoolVarP(&purge, "purge", "p", false, "Remove the local manifest list after push")
	cmd.Flags().BoolVar(&confirm, "confirm", false, confirmHelp)
	insecureFlag(cmd, &insecure)
	return cmd
}

func (a *application) manifestRm() *cobra.Command {
	return &cobra.Command{
		Use:   "rm MANIFEST_LIST [MANIFEST_LIST...]",
		Short: "Delete one or more manifest lists from local storage",
		Args:  atLeast(1, "mtool manifest rm MANIFEST_LIST [MANIFEST_LIST...]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			refs, err := parseRefs(args)
			if err != nil {
				return err
			}
			for i := range refs {
				refs[i] = refs[i].At(registry.TransportDraft)
			}
			env, err := a.env()
			if err != nil {
				return err
			}
			return env.Rm(cmd.Context(), refs)
		},
	}
}

func insecureFlag(cmd *cobra.Command, insecure *bool) {
	cmd.Flags().BoolVar(insecure, "insecure", false, "Allow communication with an insecure registry")
}

// insecurely runs a function of package app. Insecure in docker's sense means the registries of the names: their
// certificates are not checked, and plain HTTP is spoken where they do.
func (a *application) insecurely(insecure bool, names []string, run func(*app.Env) error) error {
	if !insecure {
		return a.with(run)
	}
	hosts := hostsOf(names)
	b := *a
	b.skipVerify = append(hosts, a.skipVerify...)
	err := b.with(run)
	if !errors.Is(err, http.ErrSchemeMismatch) {
		return err
	}
	b.plainHTTP = append(hosts, a.plainHTTP...)
	return b.with(run)
}

// hostsOf returns the registries of names.
func hostsOf(names []string) []string {
	var hosts []string
	for _, name := range names {
		if ref, err := registry.ParseRef(name); err == nil && ref.Host != "" {
			hosts = append(hosts, ref.Host)
		}
	}
	return hosts
}

func (a *application) with(run func(*app.Env) error) error {
	env, err := a.env()
	if err != nil {
		return err
	}
	return run(env)
}
