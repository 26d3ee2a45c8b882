package cli

import (
	"io"
	"strings"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/inspect"
	"mtool/inspect/deep"
)

// addDeep adds the flags that all commands share that can read binaries.
func addDeep(fl *pflag.FlagSet, o *app.DeepOptions) {
	fl.BoolVar(&o.Deep, "deep", false, "check every binary's machine\nreads the layers (mtool help foreign-files)")
	fl.BoolVar(&o.EntrypointOnly, "entrypoint-only", false,
		"only what the images start\nlayers from the top, as far as needed")
	fl.Var((*globs)(&o.AllowForeign), "allow-foreign", "files that this `GLOB` covers may be for any machine")
	fl.Var((*abis)(&o.ABI), "abi",
		"programs must be of this ABI: `ARCH=ABI`\nas in loong64=new, arm=hard, amd64=musl (mtool help abi)")
	fl.Var((*pageSize)(&o.PageSize), "page-size", "programs must run with pages of this `SIZE`: 16k, 64k")
	fl.BoolVar(&o.NoFacts, "no-facts", false, "neither use nor keep what was seen in layers before")
}

// checkDeep refuses flags that would have no effect; usage is the command line to show.
func checkDeep(o app.DeepOptions, usage string) error {
	if !o.Deep && (o.EntrypointOnly || o.NoFacts || len(o.AllowForeign)+len(o.ABI) > 0 || o.PageSize > 0) {
		return usagef(usage, "--entrypoint-only, --allow-foreign, --abi, --page-size and --no-facts need --deep")
	}
	return nil
}

// globs are the values of a flag that may be repeated.
type globs []deep.Glob

func (g *globs) Set(text string) error {
	glob, err := deep.ParseGlob(text)
	*g = append(*g, glob)
	return err
}

func (g *globs) Type() string { return listValue }

func (g *globs) String() string {
	words := make([]string, len(*g))
	for i, glob := range *g {
		words[i] = glob.String()
	}
	return strings.Join(words, " ")
}

const foreignFilesLead = `How mtool inspect --deep judges a program for another machine: by its purpose. The first of these rules that covers a file
decides. An error fails the check (exit code 3), a warning only with --strict; files under a note are counted, unless
the rule is silent. No exemption covers what the image starts, nor its loader, libc and shell. Code for an older
processor of the same architecture is right everywhere. Unlinked objects, static archives, core dumps, and code for BPF
and graphics cards are not programs; only their rules apply. Packages are recognised by their manifest (package.json,
RECORD and WHEEL, gemspec, nuspec, a JDK's release file, the databases of dpkg, apk and RPM) or by their folder; their
files decide, not what a manifest claims.
Libraries inside archives (jars, zip files, wheels that are not installed) are not read. The user gives a GLOB by
--allow-foreign; with --strict a note is a failure; --files and --cluster check a deployment.`

// writeForeignFiles prints the table that the checks use.
func writeForeignFiles(w io.Writer) {
	print.Text(w, foreignFilesLead+"\n\n")
	for _, r := range deep.Rules() {
		print.Text(w, r.Name+": "+ruleWord(r)+"\n  what:  "+r.Covers+"\n  why:   "+r.Reason+"\n")
	}
}

// ruleWord is what a row makes of a file.
func ruleWord(r deep.Rule) string {
	switch {
	case r.Quiet:
		return "silent"
	case r.State == inspect.Mismatch:
		return "error"
	}
	return string(r.State)
}
