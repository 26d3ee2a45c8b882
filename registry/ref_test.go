package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	hexA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digA = "sha256:" + hexA
)

// noFiles is the lookup of a file system without files.
func noFiles(string) Transport { return "" }

func TestParseRefNames(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, str, familiar string
		bare, local       bool
	}{
		{"demo", "docker.io/library/demo:latest", "demo:latest", true, true},
		{"demo:v1-arm64", "docker.io/library/demo:v1-arm64", "demo:v1-arm64", true, true},
		{"me/demo:v1", "docker.io/me/demo:v1", "me/demo:v1", true, false},
		{"docker.io/library/demo:v1", "docker.io/library/demo:v1", "demo:v1", false, false},
		{"index.docker.io/demo", "docker.io/library/demo:latest", "demo:latest", false, false},
		{"127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y", "127.0.0.1:5000/x:y", false, false},
		{"localhost/x", "localhost/x:latest", "localhost/x:latest", true, true},
		{"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest", false, false},
		{"demo@" + digA, "docker.io/library/demo@" + digA, "demo@" + digA, true, true},
		{"demo:v1@" + digA, "docker.io/library/demo:v1@" + digA, "demo:v1@" + digA, true, true},
		{"docker://demo:v1", "docker.io/library/demo:v1", "demo:v1", false, false},
		{"docker.io/library/demo@" + digA, "docker.io/library/demo@" + digA, "demo@" + digA, true, false},
		{"docker.io/me/demo@" + digA, "docker.io/me/demo@" + digA, "me/demo@" + digA, false, false},
		{"docker:dind", "docker.io/library/docker:dind", "docker:dind", true, true},
		{"store:demo:v1", "store:docker.io/library/demo:v1", "demo:v1", false, false},
		{"draft:a.b/c", "draft:a.b/c:latest", "a.b/c:latest", false, false},
		{"docker-daemon:demo:v1", "docker-daemon:docker.io/library/demo:v1", "demo:v1", false, false},
		{"docker://store:5000/x:v1", "docker://store:5000/x:v1", "store:5000/x:v1", false, false},
		{"missing.tar", "docker.io/library/missing.tar:latest", "missing.tar:latest", true, true},
	}
	for _, tt := range tests {
		r, err := parseRef(tt.in, noFiles)
		r.Typed = tt.in
		if err != nil || r.String() != tt.str || r.Familiar() != tt.familiar || r.Bare != tt.bare || r.Local() != tt.local {
			t.Errorf("%s: got %q, familiar %q, bare %t, local %t, error %v; want %+v",
				tt.in, r, r.Familiar(), r.Bare, r.Local(), err, tt)
		}
	}
}

func TestParseRefFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in        string
		transport Transport
		path, tag string
		digest    string
	}{
		{"oci:dir", TransportLayout, "dir", "", ""},
		{"oci:dir:v1", TransportLayout, "dir", "v1", ""},
		{"oci:./a/b:docker.io/library/demo:v1", TransportLayout, "./a/b", "docker.io/library/demo:v1", ""},
		{"oci:dir@" + digA, TransportLayout, "dir", "", digA},
		{"oci:dir:v1@" + digA, TransportLayout, "dir", "v1", digA},
		{"oci-layout://a/b:v1", TransportLayout, "a/b", "v1", ""},
		{"dir:a/b", TransportDirectory, "a/b", "", ""},
		{"dir:v1", TransportDirectory, "v1", "", ""},
		{"dir:a:b", TransportDirectory, "a:b", "", ""},
		{"dir:a@" + digA, TransportDirectory, "a", "", digA},
		{"oci:a@b", TransportLayout, "a@b", "", ""},
		{"oci-archive:/x/a.tar:v1", TransportArchive, "/x/a.tar", "v1", ""},
		{"docker-archive:a.tar:demo:v1", TransportDockerArchive, "a.tar", "demo:v1", ""},
	}
	for _, tt := range tests {
		r, err := parseRef(tt.in, noFiles)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		digest := ""
		if r.Digest.Hex != "" {
			digest = r.Digest.String()
		}
		if r.Transport != tt.transport || r.Path != tt.path || r.Tag != tt.tag || digest != tt.digest {
			t.Errorf("%s: got %+v, want %+v", tt.in, r, tt)
		}
		if r.String() != strings.Replace(tt.in, "oci-layout://", "oci:", 1) || !r.IsFile() || r.Repository() != "" {
			t.Errorf("%s: got string %q, repository %q", tt.in, r, r.Repository())
		}
	}
}

func TestParseRefErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, words, hint string }{
		{"", "the name is empty", "is a variable unset?"},
		{"demo:", "the tag is empty", "is a variable unset?"},
		{"r.example:5000/demo:", "the tag is empty", "is a variable unset?"},
		{"demo:feature/login", `"feature/login" is not a tag`, `"feature-login"`},
		{"r.example/demo:feature/login", `"feature/login" is not a tag`, `"feature-login"`},
		{"demo:1.2.3+build.5", `"1.2.3+build.5" is not a tag`, `"1.2.3_build.5"`},
		{"demo:" + strings.Repeat("a", 129), "the tag has 129 characters, more than 128", ""},
		{"demo@", "the digest is empty", "is a variable unset?"},
		{"demo@sha256:", "the digest is empty", "is a variable unset?"},
		{"r.example/", "it ends with a '/'", ""},
		{"oci://r.example/charts/app:v1", "oci: is a layout here", "write r.example/charts/app:v1"},
		{"oci://dir:v1", "oci: is a layout here", "write oci:dir:v1"},
		{"oci-layout:dir:v1", "unknown transport oci-layout:", ""},
		{"containers-storage://demo", "takes a name without //", "write containers-storage:demo"},
		{"containers-storage:", "the name is empty", "is a variable unset?"},
		{"ostree:v1", "unknown transport ostree:", ""},
		{"oras://r.example/demo:v1", "unknown transport oras://", ""},
		{"sif:/x/demo", "unknown transport sif:", ""},
		{"store://demo:v1", "store: takes a name without //", "write store:demo:v1"},
		{"docker-archive://a.tar", "takes a path without //", "write docker-archive:a.tar"},
		{"localhost", "a registry without a repository", "write localhost/NAME"},
		{"localhost:5000", "a registry without a repository", "write localhost:5000/NAME"},
		{"localhost:5000/", "a registry without a repository", "write localhost:5000/NAME"},
		{"127.0.0.1:5988", "a registry without a repository", "write 127.0.0.1:5988/NAME"},
		{"10.0.0.1", "a registry without a repository", "write 10.0.0.1/NAME"},
		{"[::1]:5000", "a registry without a repository", "write [::1]:5000/NAME"},
		{".", "it is a directory", "write oci:."},
		{"./ref.go", "it is a file", "write oci-archive:./ref.go"},
		{"file://lay", "not by a URL", ""},
		{"demo v1", "", ""}, // the message is the parser's
		{"Demo:v1", "lowercase", `"demo:v1"`},
		{"demo@sha256:abc", "is not 64 digits long", ""},
		{digA, "a digest without the repository", "NAME@sha256:"},
		{hexA, "hexadecimal", ""},
		{"https://r.example/demo", "no URL scheme", ""},
		{"./demo", "a path, not a name", "oci:./demo"},
		{"./demo.tar", "no such file", "to write one: oci-archive:./demo.tar"},
		{"oci:", "needs a path", ""},
		{"dir:", "needs a path", ""},
		{"oci::v1", "needs a path", ""},
		{"oci:dir:", "invalid tag", ""},
		{"oci:dir:a b", "invalid tag", ""},
		{"store:", "the name is empty", "is a variable unset?"},
		{"docker://", "the name is empty", "is a variable unset?"},
	}
	for _, tt := range tests {
		_, err := ParseRef(tt.in)
		if !errors.Is(err, ErrName) || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%q: got error %v, want ErrName with %q", tt.in, err, tt.words)
		}
		if got := hintOf(err); (tt.hint == "") != (got == "") || !strings.Contains(got, tt.hint) {
			t.Errorf("%q: got hint %q, want %q", tt.in, got, tt.hint)
		}
	}
}

func TestParseRefExistingTar(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, layout := filepath.Join(dir, "a.tar"), filepath.Join(dir, "b.tar")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(layout, 0o700)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Transport{file: TransportArchive, layout: TransportLayout} {
		r, err := ParseRef(path)
		if err != nil || r.Transport != want || r.Path != path || r.Bare {
			t.Errorf("%s: got %+v, %v; want transport %s", path, r, err, want)
		}
	}
}

func TestRefEdits(t *testing.T) {
	t.Parallel()
	r, err := ParseRef("demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := ParseRef("demo@" + digA)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ got, want string }{
		{r.WithDigest(other.Digest).String(), "docker.io/library/demo@" + digA},
		{other.WithTag("v2").String(), "docker.io/library/demo:v2"},
		{r.At(TransportStore).String(), "store:docker.io/library/demo:v1"},
		{r.At(TransportStore).At(TransportRegistry).String(), "docker.io/library/demo:v1"},
		{r.Repository(), "docker.io/library/demo"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if r.At(TransportStore).Bare {
		t.Error("a name with a transport is still bare")
	}
}

func hintOf(err error) string {
	var h Hinter
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{
		"demo:v1", "oci:d:a@" + digA, "store:5000/x", "docker://oci:1/x", "[::1]:5/x", "A.b/c",
		"x@" + digA,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseRef(s, noFiles)
		if err != nil {
			if !errors.Is(err, ErrName) {
				t.Fatalf("%q: error %v does not wrap ErrName", s, err)
			}
			return
		}
		again, err := parseRef(r.String(), noFiles)
		r.Bare, again.Bare = false, false
		if err != nil || again != r {
			t.Fatalf("%q: reads back from %q as %+v, %v; want %+v", s, r, again, err, r)
		}
	})
}
