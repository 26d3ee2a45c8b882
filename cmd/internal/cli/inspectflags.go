package cli

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
)

// inspectFlags are the flags of inspect as they are typed.
type inspectFlags struct {
	app.InspectOptions
	require        []string
	output, format string
	raw            bool
	template       print.Template
	fields         imageFields
	accepted       imagePatterns
	proof          proofFlags
}

func (f *inspectFlags) add(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.require, "require", nil, "fail unless the list serves this `PLATFORM`")
	fl.BoolVar(&f.Exact, "exact", false, "fail when it has other platforms")
	fl.BoolVar(&f.Strict, "strict", false,
		"notes that change the verdict are failures\nmtool help notes; with --deep the images' own exemptions are ignored")
	fl.BoolVar(&f.Same, "same", false,
		"with --deep: all images must be one program\nthe same versions, packages, programs and settings (mtool help notes)")
	fl.BoolVar(&f.NoVerify, "no-verify", false, "only show; exit 0 when it can be read")
	fl.StringVarP(&f.output, "output", "o", "table",
		"how to show it: `table|tree|json|markdown|html|junit|sarif|github`\ntree has the layers; mtool help json; html is one page; github writes annotations, and markdown into $GITHUB_STEP_SUMMARY")
	fl.StringVar(&f.format, "format", "",
		"print this Go `TEMPLATE`: '{{.Digest}}'\nover the members of -o json, with capital letters")
	fl.BoolVar(&f.raw, "raw", false, "print the manifest's exact bytes")
	addDeep(fl, &f.DeepOptions)
	fl.StringArrayVar(&f.Explain, "explain", nil,
		"say who needs the file at this `PATH`, and by which rule\nit was decided on")
	f.proof.register(fl)
	fl.StringVar(&f.From, "from", "", "look only here: `store|registry`")
	f.addWorkloads(fl)
}

// options checks the flags.
func (f *inspectFlags) options(ctx context.Context, args []string) (err error) {
	if err = oneOf("--output", f.output, "table", "tree", "json", "markdown", "github", "sarif", "junit",
		"html"); err != nil {
		return err
	}
	if err = f.workloads(args); err != nil {
		return err
	}
	if f.Refs, err = parseRefs(args); err != nil {
		return err
	}
	if f.Require, err = parsePlatforms(f.require); err != nil {
		return err
	}
	if f.format == "json" && f.output == "table" { // as docker, buildx and podman spell it
		f.format, f.output = "", "json"
	}
	if f.template, err = print.ParseTemplate(f.format); err != nil {
		return usagef("mtool inspect --format '{{.Digest}}' REF", "--format: %v", err)
	}
	if err = f.proof.options(ctx, &f.ProofOptions); err != nil {
		return err
	}
	f.ReadProvenance, f.ReadSBOM = f.template.Wants("Provenance"), f.template.Wants("SBOM")
	if err = f.combined(); err != nil {
		return err
	}
	return checkDeep(f.DeepOptions, "mtool inspect --deep REF")
}

// combined refuses flags that don't go together.
func (f *inspectFlags) combined() error {
	switch {
	case len(f.Explain) > 0 && !f.Deep:
		return usagef("mtool inspect --deep --explain PATH REF", "--explain needs --deep")
	case f.Same && !f.Deep:
		return usagef("mtool inspect --deep --same REF", "--same needs --deep")
	case f.Exact && len(f.Require) == 0 && f.Workloads.Cluster == "":
		return usagef("mtool inspect --require PLATFORM,… --exact REF", "--exact needs --require or --cluster")
	case len(f.Refs) == 0 && len(f.Workloads.Files) == 0:
		return usagef("mtool inspect REF…", "too few arguments: name a reference or --files")
	}
	return f.shown()
}

// shown refuses outputs that don't go together.
func (f *inspectFlags) shown() error {
	switch {
	case f.format != "" && !strings.Contains(f.format, "{{"):
		return usagef("mtool inspect --format '{{.Digest}}' REF",
			"--format %q is not a template: it prints nothing about the image", f.format)
	case f.format != "" && (f.raw || f.output != "table"):
		return usagef("mtool inspect --format TEMPLATE REF", "--format can't be joined with --output and --raw")
	case f.raw && (len(f.Refs) != 1 || len(f.Workloads.Files) > 0):
		return usagef("mtool inspect --raw REF", "--raw shows one reference, %d given", len(f.Refs))
	}
	return nil
}
