package build

import (
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"mtool/build/advice"
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
	got := strings.Join(excerpt("/d/Dockerfile", errdefs.WithSource(errors.New("x"), source)), "\n")
	if !strings.Contains(got, "Dockerfile:2") || !strings.Contains(got, ">>> COPY missing.txt /x") || strings.Contains(got, "---") {
		t.Errorf("got:\n%s", got)
	}
	if got := excerpt("Dockerfile", errors.New("x")); got != nil {
		t.Errorf("got %q for an error without a source position", got)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	const layer = `failed to Lchown "/x" for UID 70000, GID 5: lchown /x: invalid argument (Hint: try …)`
	for _, c := range []struct {
		step, err, log string
		id             int64
		kind           advice.Kind
	}{
		{step: "[1/2] FROM a", err: layer, id: 70000},
		{step: "[2/2] COPY --chown=3:80000 a /", err: "lchown /a: invalid argument", id: 80000},
		{step: "[2/2] COPY --chown=3 a /", err: "lchown /a: permission denied"},
		{step: "[2/2] RUN a", err: "invalid argument"},
		{step: "[2/2] COPY a /", err: "write /a: no space left on device", kind: advice.FreeBuilds},
		{step: "[2/2] RUN a", err: "exit code: 1", log: "dd: No space left on device", kind: advice.FreeBuilds},
		{step: "[2/2] RUN a", err: "exit code: 1", log: "disk is fine"},
	} {
		if id, _ := unmapped(c.step, errors.New(c.err)); id != c.id {
			t.Errorf("%s: %s: id %d, want %d", c.step, c.err, id, c.id)
		}
		if c.id > 0 {
			continue // the line depends on this machine
		}
		if got := help(c.step, errors.New(c.err), []string{c.log}).Kind; got != c.kind {
			t.Errorf("%s: %s %s: advice %v, want %v", c.step, c.err, c.log, got, c.kind)
		}
	}
}

func TestNamedOwner(t *testing.T) {
	t.Parallel()
	const words = "invalid user index: -1"
	for step, want := range map[string]bool{
		"[2/2] COPY --link --chown=app a /": true, "[2/2] COPY --chown=app a /": false,
	} {
		if got := namedOwner(step, errors.New(words)) != nil; got != want {
			t.Errorf("%s: %v, want %v", step, got, want)
		}
	}
	if err := namedOwner("[2/2] COPY --link a /", errors.New("no such file")); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestIsRun(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]bool{
		"[2/3] RUN a": true, "[build 2/3] ONBUILD RUN a": true, "[2/3] COPY RUN /": false, "[2/3] ONBUILD COPY a /": false,
		"[internal] load build context": false, "exporting to image": false,
	} {
		if isRun(step) != want {
			t.Errorf("%s: %v, want %v", step, !want, want)
		}
	}
}
