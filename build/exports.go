package build

import (
	"io"
	"maps"

	"github.com/containerd/containerd/v2/core/content"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"

	"mtool/build/device"
)

const epochArg = "SOURCE_DATE_EPOCH" // https://reproducible-builds.org/specs/source-date-epoch/

// withEpoch takes SOURCE_DATE_EPOCH from the environment unless it is a build argument.
func withEpoch(s Spec, lookup func(string) (string, bool)) Spec {
	v, ok := lookup(epochArg)
	if _, given := s.BuildArgs[epochArg]; given || !ok || v == "" {
		return s
	}
	s.BuildArgs = maps.Clone(s.BuildArgs)
	if s.BuildArgs == nil {
		s.BuildArgs = map[string]string{}
	}
	s.BuildArgs[epochArg] = v
	return s
}

// export returns the request for an OCI layout: blobs in a folder, no archive.
func export(s Spec, out content.Store) client.ExportEntry {
	a := map[string]string{"tar": "false", "oci-mediatypes": "true"}
	for k, v := range s.Annotations {
		a["annotation."+k] = v
	}
	if s.BuildArgs[epochArg] != "" {
		a["rewrite-timestamp"] = "true" // without it only the config's time is the epoch
	}
	return client.ExportEntry{Type: client.ExporterOCI, Attrs: a, OutputStore: out}
}

// fileExport writes the image's files.
func fileExport(e Export, s Spec, p v1.Platform) client.ExportEntry {
	attrs := map[string]string{}
	if s.BuildArgs[epochArg] != "" {
		attrs["source-date-epoch"] = s.BuildArgs[epochArg]
	}
	if e.Dir != "" {
		return client.ExportEntry{Type: client.ExporterLocal, Attrs: attrs, OutputDir: e.OutputDir(p, s.ofSeveral())}
	}
	if s.SkipDevices && e.Type == client.ExporterTar {
		attrs[device.SkipAttr] = "true"
	}
	x := client.ExportEntry{Type: e.Type, Attrs: attrs, Output: func(map[string]string) (io.WriteCloser, error) {
		return keepOpen{e.Archive}, nil
	}}
	if e.Type == client.ExporterOCI {
		attrs = export(s, nil).Attrs
		delete(attrs, "tar")
		x.Attrs = attrs
	}
	if e.Name != "" && e.Type != client.ExporterTar {
		x.Attrs["name"] = e.Name
	}
	return x
}

// keepOpen hides Close: whoever opened the writer closes it.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
