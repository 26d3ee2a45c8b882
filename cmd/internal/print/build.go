package print

import (
	"cmp"
	"io"

	"mtool/build"
	"mtool/inspect/platform"
)

// Preflight prints what a build would use, a line for each base image; warnings are not among them.
func Preflight(w io.Writer, f build.PreflightResult) error {
	t := newTable(w, "PLATFORM", "RUN STEPS", nameColumn("BASE"), "BASE PLATFORM", textColumn("FROM"),
		digestColumn("DIGEST"))
	for _, p := range f.Platforms {
		how := "none"
		switch {
		case p.Emulator != "":
			how = "qemu-" + p.Emulator
		case p.Runs:
			how = "native"
		}
		bases := p.Bases
		if len(bases) == 0 {
			t.row(platform.Format(p.Platform), how, "scratch", "-", "-", "-")
		}
		for _, b := range bases {
			t.row(platform.Format(p.Platform), how, b.Name, platform.Format(b.Platform), cmp.Or(b.From, "-"),
				dash(digestString(b.Digest)))
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, m := range f.Missing {
		Println(w, platform.Format(m.Platform)+" is optional and can't be built: "+m.Err.Error())
	}
	return nil
}

// Warning prints one place in a Dockerfile, as compilers do.
func Warning(w io.Writer, one build.Warning) { printf(w, "%s\n", one) }
