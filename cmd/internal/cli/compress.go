package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry/repack"
)

// compressFlags are how layers are compressed on their way.
type compressFlags struct {
	format string
	force  bool
	copies string // by commas
}

func (f *compressFlags) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.format, "compression", "", "compress the layers: `"+strings.Join(repack.Names(), "|")+
		"`\nwith a level: zstd:9. Other digests; what was signed and attested of the old ones stays behind")
	fl.BoolVar(&f.force, "force-compression", false, "compress layers that have this format already too")
	fl.StringVar(&f.copies, "add-compression", "",
		"give each image of a list a copy: `gzip|zstd|zstd:chunked`\npodman and others that read zstd take that copy, all others the first one")
}

// options reads the flags, for a list of that type.
func (f compressFlags) options(kind compose.Type) (c publish.Compression, err error) {
	c.Force = f.force
	if f.format != "" {
		if c.Format, err = repack.ParseFormat(f.format); err != nil {
			return c, badInput(err)
		}
	}
	for copied := range strings.SplitSeq(f.copies, ",") {
		if copied == "" {
			continue
		}
		format, err := repack.ParseFormat(copied)
		if err != nil {
			return c, badInput(err)
		}
		c.Copies = append(c.Copies, format)
	}
	return c, badInput(c.Check(kind))
}

// compression reads the flags together with those of the list that create makes. What is converted is converted once
// its layers are compressed, since Docker's format has no zstd.
func (f *createFlags) compression(o *publish.Compression) error {
	kind, err := compose.ParseType(f.mediaType)
	if err != nil {
		return err
	}
	if *o, err = f.compress.options(kind); err != nil || o.IsZero() {
		return err
	}
	o.KeepAttestations = f.changed("attestations") && f.attestations == string(compose.KeepAttestations)
	if f.changed("attestations") && f.attestations != string(compose.KeepAttestations) &&
		f.attestations != string(compose.DropAttestations) {
		return usagef("", "--attestations %s and --compression: attestations are about the digests before", f.attestations)
	}
	if f.convert {
		o.Convert, f.convert, f.mediaType = kind, false, "auto"
	}
	return nil
}

// outputCompression is what docker buildx's -o type=…,compression=zstd,compression-level=9,force-compression=true asks
// for.
func outputCompression(pairs map[string]string) compressFlags {
	c := compressFlags{format: pairs["compression"], force: pairs["force-compression"] == "true"}
	if level := pairs["compression-level"]; level != "" {
		c.format += ":" + level
	}
	return c
}

// with reads the flags together with what outputs ask for: all are made of the same layers.
func (f compressFlags) with(outputs []compressFlags) (publish.Compression, error) {
	for _, o := range outputs {
		o.copies = f.copies
		if f.format != "" && f.format != o.format || f.force != o.force && f.format != "" {
			return publish.Compression{}, usagef("", "one compression for all outputs: %q and %q are two", f.format, o.format)
		}
		f = o
	}
	return f.options("")
}
