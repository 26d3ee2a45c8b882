//go:build !mips64le

package worker

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/moby/buildkit/exporter"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/exporter/util/epoch"
	"github.com/moby/buildkit/solver/result"
)

// imageExporter exports images whose provenance is the same for each build of the same inputs, if SOURCE_DATE_EPOCH is
// set. https://reproducible-builds.org/specs/source-date-epoch/
type imageExporter struct{ exporter.Exporter }

func (e imageExporter) Resolve(ctx context.Context, n int, attrs map[string]string) (exporter.ExporterInstance, error) {
	i, err := e.Exporter.Resolve(ctx, n, attrs)
	if err != nil {
		return nil, err
	}
	return imageExport{i}, nil
}

type imageExport struct{ exporter.ExporterInstance }

// Export implements exporter.ExporterInstance.
func (e imageExport) Export(ctx context.Context, from *exporter.Source, info exporter.ExportBuildInfo) (
	map[string]string, exporter.FinalizeFunc, exporter.DescriptorReference, error,
) {
	given, _, err := epoch.ParseExporterAttrs(e.Attrs())
	if err != nil {
		return nil, nil, nil, err
	}
	for id, attestations := range from.Attestations {
		at := given
		if at == nil {
			t, err := epoch.ParseSource(from, &exptypes.Platform{ID: id})
			if err != nil {
				return nil, nil, nil, err
			}
			at = &epoch.Epoch{Value: t}
		}
		if at.Value == nil {
			continue
		}
		for n, a := range attestations {
			if content := a.ContentFunc; content != nil && isProvenance(a) {
				attestations[n].ContentFunc = func(ctx context.Context) ([]byte, error) {
					body, err := content(ctx)
					if err != nil {
						return nil, err
					}
					return reproducible(body)
				}
			}
		}
	}
	return e.ExporterInstance.Export(ctx, from, info)
}

func isProvenance(a exporter.Attestation) bool {
	return string(a.Metadata[result.AttestationReasonKey]) == result.AttestationReasonProvenance
}

// perBuild are the members of a provenance predicate that differ from build to build: times, the build's number,
// digests of steps, which depend on the session, and layers before their files had the time of SOURCE_DATE_EPOCH. "*"
// stands for each element of an array. All are optional: https://slsa.dev/spec/v1.0/provenance,
// https://slsa.dev/provenance/v0.2, https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md
var perBuild = [][]string{
	{"runDetails", "metadata", "startedOn"},
	{"runDetails", "metadata", "finishedOn"},
	{"runDetails", "metadata", "invocationId"},
	{"runDetails", "metadata", "buildkit_metadata", "layers"},
	{"runDetails", "metadata", "buildkit_metadata", "source", "infos", "*", "digestMapping"},
	{"buildDefinition", "internalParameters", "buildConfig", "digestMapping"},
	{"metadata", "buildStartedOn"},
	{"metadata", "buildFinishedOn"},
	{"metadata", "buildInvocationID"},
	{"metadata", "https://mobyproject.org/buildkit@v1#metadata", "layers"},
	{"metadata", "https://mobyproject.org/buildkit@v1#metadata", "source", "infos", "*", "digestMapping"},
	{"buildConfig", "digestMapping"},
}

// reproducible returns the predicate without what differs from build to build.
func reproducible(predicate []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(predicate))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	for _, path := range perBuild {
		remove(v, path)
	}
	return json.MarshalIndent(v, "", "  ")
}

func remove(v any, path []string) {
	switch v := v.(type) {
	case []any:
		if path[0] == "*" {
			for _, e := range v {
				remove(e, path[1:])
			}
		}
	case map[string]any:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		remove(v[path[0]], path[1:])
	}
}
