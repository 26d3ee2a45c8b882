package print

import (
	"cmp"
	"io"
	"text/tabwriter"

	"mtool/build"
	"mtool/inspect/platform"
)

// Preflight prints what a build would use, a line for each base image; warnings are told elsewhere.
func Preflight(w io.Writer, f build.PreflightResult) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printf(t, "PLATFORM\tRUN STEPS\tBASE\tBASE PLATFORM\tFROM\tDIGEST\n")
	for _, p := range f.Platforms {
		how := "native"
		if p.Emulator != "" {
			how = "qemu-" + p.Emulator
		}
		bases := p.Bases
		if len(bases) == 0 {
			printf(t, "%s\t%s\tscratch\t-\t-\t-\n", platform.Format(p.Platform), how)
		}
		for _, b := range bases {
			printf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", platform.Format(p.Platform), how, b.Name, platform.Format(b.Platform), cmp.Or(b.From, "-"), dash(digestString(b.Digest)))
		}
	}
	return t.Flush()
}

// Warning prints one place in a Dockerfile, as compilers do.
func Warning(w io.Writer, one build.Warning) { printf(w, "%s\n", one) }
