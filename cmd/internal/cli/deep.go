package cli

import (
	"io"
	"strings"

	"github.com/spf13/pflag"

	"mtool/cmd/internal/flow"
	"mtool/cmd/internal/print"
	"mtool/inspect/deep"
)

// addDeep adds the flags that all commands share that can read binaries.
func addDeep(fl *pflag.FlagSet, o *flow.DeepOptions) {
	fl.BoolVar(&o.Deep, "deep", false, "read the layers and check what machine every binary is for (mtool help foreign-files)")
	fl.BoolVar(&o.EntrypointOnly, "entrypoint-only", false, "with --deep: only what the images start; layers from the top, as far as needed")
	fl.Var((*globs)(&o.AllowForeign), "allow-foreign", "with --deep: files that this `GLOB` covers may be for any machine (repeatable)")
	fl.BoolVar(&o.NoFacts, "no-facts", false, "with --deep: neither use nor keep what was seen in layers before")
}

// checkDeep refuses flags that would have no effect; usage is the command line to show.
func checkDeep(o flow.DeepOptions, usage string) error {
	if !o.Deep && (o.EntrypointOnly || o.NoFacts || len(o.AllowForeign) > 0) {
		return usagef(usage, "--entrypoint-only, --allow-foreign and --no-facts need --deep")
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

func (g *globs) Type() string { return "glob" }

func (g *globs) String() string {
	words := make([]string, len(*g))
	for i, glob := range *g {
		words[i] = glob.String()
	}
	return strings.Join(words, " ")
}

// meter shows how layers are read, where standard error is a terminal.
func (a *app) meter() flow.Progress {
	terminal := a.Err.Terminal()
	if terminal == nil || a.quiet {
		return nil
	}
	return print.NewMeter(terminal)
}

const foreignFilesLead = `Files that mtool inspect --deep accepts although they are not simply right for the image's platform. The first rule that
covers a file decides. Rules marked * hold for what the image starts, its interpreter, its own loader, libc and shell, too;
no other rule covers those. Nor does a rule without * cover what the config names in its entrypoint, command or health check
and, but for emulators, what links in the directories of PATH lead to. Code for an older processor of the same architecture is right everywhere. What a rule excused is
counted in a note, unless the rule is silent.`

// writeForeignFiles prints the table that the checks use.
func writeForeignFiles(w io.Writer) {
	print.Text(w, foreignFilesLead+"\n\n")
	for _, r := range deep.Rules() {
		name := r.Name
		if r.Own {
			name += " *"
		}
		if r.Quiet {
			name += ", silent"
		}
		print.Text(w, name+"\n  what: "+r.Covers+"\n  why:  "+r.Reason+"\n")
	}
}
