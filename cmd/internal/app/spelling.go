package app

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// sayMisspelled notes how to correct configs whose platform is misspelled.
func (e notes) sayMisspelled(list compose.List) {
	for _, entry := range list.Entries {
		if _, odd := platform.Misspelled(entry.Config); odd && !entry.Artifact {
			e.note("note: --fix-config corrects the configs; the images get other digests")
			return
		}
	}
}

// hintSpelling hints at the command that corrects the first misspelled platform, which runtimes would not find. A row
// can be corrected in the list; a corrected config makes another image.
func hintSpelling(err error, r inspect.Report) error {
	if r.Ref.Transport != registry.TransportRegistry {
		return err
	}
	for _, i := range r.Images {
		row := i.Descriptor.Platform
		if row == nil || r.List == nil || r.Ref.Tag == "" {
			continue
		}
		right, _ := platform.Misspelled(*row)
		if flags := platformFlags(platform.Spelled(*row), right); flags != "" {
			return registry.WithHint(err,
				"mtool annotate --published "+r.Ref.WithTag(r.Ref.Tag).Name()+" "+platform.Format(*row)+flags)
		}
	}
	for _, i := range r.Images {
		if _, odd := platform.Misspelled(i.Config); odd {
			return registry.WithHint(err,
				"mtool create NEW "+r.Ref.Name()+" --fix-config --push makes a list with correct configs")
		}
	}
	return err
}

// platformFlags returns the flags of annotate that change one platform into the other.
func platformFlags(from, to v1.Platform) string {
	var s strings.Builder
	for _, field := range []struct{ flag, from, to string }{
		{"--os", from.OS, to.OS}, {"--arch", from.Architecture, to.Architecture}, {"--variant", from.Variant, to.Variant},
	} {
		if field.from != field.to && field.to != "" {
			s.WriteString(" " + field.flag + " " + field.to)
		}
	}
	return s.String()
}
