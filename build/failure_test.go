package build

import (
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
)

func TestMissingFile(t *testing.T) {
	t.Parallel()
	const words = `failed to compute cache key: failed to calculate checksum of ref abc::def: "/missing.txt": not found`
	tests := []struct{ step, err, want string }{
		{"[2/2] COPY missing.txt /x", words, `"/missing.txt" is not in the build context (or .dockerignore excludes it)`},
		{"[2/2] COPY --from=build /missing.txt /x", words, `"/missing.txt" is not in "build"`},
		{"[2/2] COPY missing.txt /x", "failed to calculate checksum of ref abc::def: no space left on device", ""},
		{"[2/2] RUN cat missing.txt", "process did not complete: exit code: 1", ""},
	}
	for _, tt := range tests {
		got := ""
		if err := missingFile(tt.step, errors.New(tt.err)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.step, got, tt.want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	source := &errdefs.Source{
		Info:   &pb.SourceInfo{Filename: "Dockerfile", Data: []byte("FROM scratch\nCOPY missing.txt /x\n")},
		Ranges: []*pb.Range{{Start: &pb.Position{Line: 2}, End: &pb.Position{Line: 2}}},
	}
	got := strings.Join(excerpt(errdefs.WithSource(errors.New("x"), source)), "\n")
	if !strings.Contains(got, "Dockerfile:2") || !strings.Contains(got, ">>> COPY missing.txt /x") || strings.Contains(got, "---") {
		t.Errorf("got:\n%s", got)
	}
	if got := excerpt(errors.New("x")); got != nil {
		t.Errorf("got %q for an error without a source position", got)
	}
}
