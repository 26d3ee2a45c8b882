package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/flow"
	"mtool/cmd/internal/print"
)

const inspectLong = `Show a list or an image and check that every entry is what it claims to be.

For every entry: the descriptor in the list against the image's config, the child's presence, duplicates, entries without
a platform. --require fails when a platform is missing, --exact when there is anything else. Exit code 3 and one line a
finding when something is wrong.

--deep reads the layers of all images as streams, each distinct one once, and writes none to disk: every executable and
shared object must be for the image's platform, and none of what the image starts, its interpreter, its own loader, libc
and shell may be for another. Files that may be foreign all the same are listed by mtool help foreign-files. The states:
  claims-ok     descriptor and config agree; nothing is known of the binaries
  binaries-ok   every layer was read, and the binaries are for the platform
  partial       what the image starts is for the platform (--entrypoint-only)
  mismatch      something is not what it claims to be
  unknown       every layer was read, and no binary was found
  unchecked     a layer could not be read: encrypted, foreign, over a limit (exit code 3)
What was seen in a layer, never a verdict, is kept in the cache folder mtool/facts, which may be deleted at any time; a
second run reads no layer again. --no-facts neither uses nor keeps it: for gates on machines that others share.

A name with a registry host is looked up in that registry only; a bare name in drafts, the local store, then the registry.
Also store:NAME, draft:NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE.`

// inspectFlags are the flags of inspect as they are typed.
type inspectFlags struct {
	flow.InspectOptions
	require                   []string
	output, format, shorthand string
	raw                       bool
	template                  print.Template
}

func (a *app) inspectCommand() *cobra.Command {
	var f inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect REF…",
		Short: "Show and verify every entry of a list",
		Long:  inspectLong,
		Example: `  mtool inspect --require linux/amd64,linux/arm64 registry.example.com/demo:v1
  mtool inspect --deep registry.example.com/demo:v1
  mtool inspect --deep --allow-foreign 'opt/sdk/**' registry.example.com/demo:v1
  mtool inspect -o json demo:v1
  mtool inspect --format '{{range .Platforms}}{{$.Repository}}@{{.Digest}}{{"\n"}}{{end}}' demo:v1 | xargs -n1 cosign sign`,
		Args: atLeast(1, "mtool inspect REF…"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runInspect(cmd.Context(), f, args) },
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.require, "require", nil, "fail unless the list serves this `PLATFORM` (repeatable, or a comma list)")
	fl.BoolVar(&f.Exact, "exact", false, "fail when there are other platforms than the required ones")
	fl.BoolVar(&f.Strict, "strict", false, "notes are failures; with --deep: the images' own exemptions are ignored")
	fl.BoolVar(&f.NoVerify, "no-verify", false, "only show; always exit 0 when it can be read")
	fl.StringVarP(&f.output, "output", "o", "table", "table, tree (with the layers), json, markdown, sarif (2.1.0), or github (annotations, and markdown in $GITHUB_STEP_SUMMARY)")
	fl.StringVar(&f.format, "format", "", "print this Go `TEMPLATE` over the members of -o json, with capital letters: '{{.Digest}}'")
	fl.BoolVar(&f.raw, "raw", false, "print the exact bytes of the list or image manifest")
	addDeep(fl, &f.DeepOptions)
	fl.StringVar(&f.From, "from", "", "look only here: `store|registry`")
	fl.StringVarP(&f.shorthand, "format-shorthand", "f", "", "")
	_ = fl.MarkHidden("format-shorthand")
	return cmd
}

// options checks the flags.
func (f *inspectFlags) options(args []string) (err error) {
	if err = oneOf("--output", f.output, "table", "tree", "json", "markdown", "github", "sarif"); err != nil {
		return err
	}
	if f.Refs, err = parseRefs(args); err != nil {
		return err
	}
	if f.Require, err = parsePlatforms(f.require); err != nil {
		return err
	}
	if f.template, err = print.ParseTemplate(f.format); err != nil {
		return usagef("mtool inspect --format '{{.Digest}}' REF", "--format: %v", err)
	}
	switch {
	case f.shorthand != "":
		return usagef("mtool inspect --format '"+f.shorthand+"' REF", "templates are given by --format; -f is no flag of inspect")
	case f.format != "" && (f.raw || f.output != "table"):
		return usagef("mtool inspect --format TEMPLATE REF", "--format can't be joined with --output and --raw")
	case f.Exact && len(f.Require) == 0:
		return usagef("mtool inspect --require PLATFORM,… --exact REF", "--exact needs --require")
	case f.raw && len(f.Refs) > 1:
		return usagef("mtool inspect --raw REF", "--raw shows one reference, %d given", len(f.Refs))
	}
	return checkDeep(f.DeepOptions, "mtool inspect --deep REF")
}

func (a *app) runInspect(ctx context.Context, f inspectFlags, args []string) error {
	if err := f.options(args); err != nil {
		return err
	}
	env, err := a.env()
	if err != nil {
		return err
	}
	if f.raw {
		body, err := env.Raw(ctx, f.Refs[0], f.From)
		if err == nil {
			_, err = a.Out.Write(body)
		}
		return err
	}
	seen, err := env.Inspect(ctx, f.InspectOptions)
	if shown := f.show(a.Out, seen); shown != nil {
		return shown
	}
	return err
}

func (f *inspectFlags) show(w io.Writer, seen []flow.Inspection) error {
	switch {
	case f.format != "":
		if err := f.template.Inspections(w, seen); err != nil {
			return usagef("mtool inspect -o json REF, for the members that there are", "--format: %v", err)
		}
		return nil
	case f.output == "tree":
		return print.Tree(w, seen)
	case f.output == "markdown":
		return print.Markdown(w, seen)
	case f.output == "sarif":
		return print.SARIF(w, seen)
	case f.output == "github":
		return errors.Join(print.GitHub(w, seen), addSummary(seen))
	}
	return print.Inspections(w, f.output, seen)
}

// addSummary appends to the job summary of GitHub Actions, where there is one.
func addSummary(seen []flow.Inspection) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("writing $GITHUB_STEP_SUMMARY: %w", err)
	}
	if err := errors.Join(print.Markdown(file, seen), file.Close()); err != nil {
		return fmt.Errorf("writing $GITHUB_STEP_SUMMARY: %w", err)
	}
	return nil
}
