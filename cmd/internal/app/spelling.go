package app

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// sayMisspelled says how configs are mended that the list has as they are.
func (e notes) sayMisspelled(list compose.List) {
	for _, entry := range list.Entries {
		if _, odd := platform.Misspelled(entry.Config); odd && !entry.Artifact {
			e.note("note: --fix-config makes images whose configs say what runtimes look for, with other digests")
			return
		}
	}
}

// mended adds the command that mends the first platform which is spelled as runtimes do not look for it. A row of a
// list is mended where it is, a config only in an image with another digest.
func mended(err error, r inspect.Report) error {
	if r.Ref.Transport != registry.TransportRegistry {
		return err
	}
	for _, i := range r.Images {
		row := i.Descriptor.Platform
		if row == nil || r.List == nil || r.Ref.Tag == "" {
			continue
		}
		right, _ := platform.Misspelled(*row)
		if flags := edits(platform.Spelled(*row), right); flags != "" {
			return registry.WithHint(err,
				"mtool annotate --published "+r.Ref.WithTag(r.Ref.Tag).Name()+" "+platform.Format(*row)+flags)
		}
	}
	for _, i := range r.Images {
		if _, odd := platform.Misspelled(i.Config); odd {
			return registry.WithHint(err,
				"mtool create NEW "+r.Ref.Name()+" --fix-config --push makes a list of it whose configs are right")
		}
	}
	return err
}

// edits are the flags that make one platform the other.
func edits(from, to v1.Platform) string {
	var s strings.Builder
	for _, e := range []struct{ flag, from, to string }{
		{"--os", from.OS, to.OS}, {"--arch", from.Architecture, to.Architecture}, {"--variant", from.Variant, to.Variant},
	} {
		if e.from != e.to && e.to != "" {
			s.WriteString(" " + e.flag + " " + e.to)
		}
	}
	return s.String()
}
