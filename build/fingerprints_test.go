package build

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// What a Dockerfile reads and nobody knows before the build has no fingerprint.
func TestUnpinned(t *testing.T) {
	t.Parallel()
	commit := strings.Repeat("0123456789", 4)
	for line, want := range map[string]bool{
		"ADD https://example.com/a /":                                       true,
		"ADD http://example.com/a /":                                        true,
		"ADD --checksum=sha256:" + commit + " https://x.org/a /":            false,
		"ADD --checksum=$SUM https://example.com/a /":                       true,
		"ADD https://example.com/a.git /":                                   true,
		"ADD https://example.com/a.git#v1 /":                                true,
		"ADD https://example.com/a.git#" + commit + " /":                    false,
		"ADD https://example.com/a.git?branch=v1&checksum=" + commit + " /": false,
		"ADD git@example.com:a/b.git /":                                     true,
		"ADD $ANY /":                                                        true,
		"ADD ht${ANY} /":                                                    true,
		"ADD app-$VERSION.tar.gz /":                                         false,
		"ADD a.tar https://example.com/a /":                                 true,
		"COPY a b /":                                                        false,
		"COPY --from=$ANY a /":                                              true,
		"RUN --mount=type=cache,target=/x true":                             false,
		"RUN wget https://example.com/a":                                    false,
	} {
		d, err := parseDockerfile([]byte("FROM scratch\n" + line + "\n"))
		if err != nil {
			t.Fatal(line, err)
		}
		n, err := d.requirements(inputs{For: v1.Platform{OS: "linux", Architecture: "arm64"}})
		if err != nil {
			t.Fatal(line, err)
		}
		if got := len(n.Unpinned) > 0; got != want {
			t.Errorf("%s: unpinned %t, want %t", line, got, want)
		}
	}
}

// Each option that changes an image changes its fingerprint; others do not.
//
//nolint:paralleltest // it sets a variable
func TestFingerprints(t *testing.T) {
	linkedBuildKit = func() string { return "v1" }
	defer func() { linkedBuildKit = embeddedVersion }()
	dir, second := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(dir, "text"), filepath.Join(second, "text")} {
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch AS a\nFROM a AS b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	of := func(change func(*Spec)) fingerprintOf {
		s := Spec{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Platforms: []v1.Platform{{OS: "linux", Architecture: "amd64"}}}
		change(&s)
		all, err := fingerprints(t.Context(), Job{Spec: s})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	first := of(func(*Spec) {})
	if first.err != nil || !strings.HasPrefix(first.digest, "sha256:") {
		t.Fatal(first.err)
	}
	for name, change := range map[string]func(*Spec){
		"target":        func(s *Spec) { s.Target = "a" },
		"argument":      func(s *Spec) { s.BuildArgs = map[string]string{"A": "b"} },
		"label":         func(s *Spec) { s.Labels = map[string]string{"A": "b"} },
		"annotation":    func(s *Spec) { s.Annotations = map[string]string{"A": "b"} },
		"platform":      func(s *Spec) { s.Platforms[0].Architecture = "arm64" },
		"network":       func(s *Spec) { s.Network = "none" },
		"host":          func(s *Spec) { s.AddHosts = []string{"a=127.0.0.1"} },
		"limit":         func(s *Spec) { s.Ulimits = []string{"nofile=1"} },
		"memory":        func(s *Spec) { s.ShmSize = 1 },
		"secret":        func(s *Spec) { s.Secrets = []Secret{{ID: "a", Env: "HOME"}} },
		"key":           func(s *Spec) { s.SSH = []SSH{{ID: "a"}} },
		"entitlement":   func(s *Spec) { s.Allow = []string{AllowInsecure} },
		"provenance":    func(s *Spec) { s.Provenance = "mode=max" },
		"SBOM":          func(s *Spec) { s.SBOM = "generator=a" },
		"named context": func(s *Spec) { s.Contexts = map[string]string{"c": second} },
	} {
		if got := of(change); got.err != nil || got.digest == first.digest {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, change := range map[string]func(*Spec){
		"nothing":     func(*Spec) {},
		"progress":    func(s *Spec) { s.Progress = "plain" },
		"parallelism": func(s *Spec) { s.MaxParallelism = 1 },
		"cache":       func(s *Spec) { s.CacheFrom = []string{"type=local,src=" + dir} },
		"pull":        func(s *Spec) { s.Pull = true },
		"value":       func(s *Spec) { s.NativeOnly = true },
	} {
		if got := of(change); got.digest != first.digest {
			t.Errorf("%s: %v", name, got)
		}
	}
	if a, b := of(func(s *Spec) { s.Secrets = []Secret{{ID: "a", Env: "HOME"}} }),
		of(func(s *Spec) { s.Secrets = []Secret{{ID: "a", Env: "PATH"}} }); a.digest != b.digest {
		t.Error("the value of a secret counts")
	}
	if got := of(func(s *Spec) { s.Contexts = map[string]string{"c": "https://example.com/a.git"} }); got.err == nil {
		t.Error("a repository's branch has a fingerprint")
	}
}

// meddler is a Solver during which a file of the context is written.
type meddler struct{ path, text string }

func (m meddler) Solve(_ context.Context, job Job) ([]Layout, error) {
	if job.Spec.fingerprints["linux/amd64"] == "" {
		return nil, os.ErrInvalid
	}
	return make([]Layout, len(job.Spec.Platforms)), os.WriteFile(m.path, []byte(m.text), 0o600)
}

// A file that changes during a build makes the fingerprint in the image wrong, so the build fails.
//
//nolint:paralleltest // it sets a variable
func TestChangedMeanwhile(t *testing.T) {
	linkedBuildKit = func() string { return "v1" }
	defer func() { linkedBuildKit = embeddedVersion }()
	dir := t.TempDir()
	file, text := filepath.Join(dir, "Dockerfile"), filepath.Join(dir, "text")
	for path, body := range map[string]string{file: "FROM scratch\n", text: "text"} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	job := Job{
		Spec: Spec{
			Context: dir, Dockerfile: file, Platforms: []v1.Platform{{OS: "linux", Architecture: "amd64"}},
			Name: func(v1.Platform) registry.Ref { return registry.Ref{} },
		},
		Options: Options{Reuse: &registry.Object{}},
	}
	if _, err := reuse(t.Context(), meddler{text, "text"}, job); err != nil {
		t.Errorf("the same text: %v", err)
	}
	if _, err := reuse(t.Context(), meddler{text, "tset"}, job); err == nil || !strings.Contains(err.Error(), "build again") {
		t.Errorf("another text: %v", err)
	}
}
