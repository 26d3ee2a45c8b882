package deep_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
)

// animal is a line of testdata/zoo.txt.
type animal struct {
	name string
	only string // the only architecture that has it; "": both have
	lie  string // how the test spoils it
}

// zoo returns the packages to test: the short list, or all with MTOOL_TEST_FULL=1.
func zoo(t *testing.T) (all []animal) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "zoo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 4 && (words[0] == "short" || words[0] == "long" && os.Getenv("MTOOL_TEST_FULL") != "") {
			_, only, _ := strings.Cut(words[1], "/")
			all = append(all, animal{words[2], only, words[4]})
		}
	}
	return all
}

// tar returns the path of the layer that testdata/zoo.sh makes of the package for an architecture.
func (a animal) tar(t *testing.T, arch string) string {
	t.Helper()
	dir := os.Getenv("MTOOL_ZOO")
	if dir == "" {
		dir = filepath.Join("..", "..", ".deps", "zoo")
	}
	path := filepath.Join(dir, strings.NewReplacer("/", "_", "@", "_", "{", "_", "}", "_").Replace(a.name)+"-"+arch+".tar")
	if _, err := os.Stat(path); err != nil {
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "zoo") {
			t.Fatalf("%v: testdata/zoo.sh makes it", err)
		}
		t.Skip(err)
	}
	return path
}

// Real packages on a real file system: each is right as installed. If the package has a part for the platform and that
// is removed or replaced by another machine's, the file or the package is reported.
func TestZoo(t *testing.T) {
	t.Parallel()
	var lies, found atomic.Int32
	all := zoo(t)
	t.Run("each", func(t *testing.T) {
		for _, a := range all {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				if a.lie != "none" {
					lies.Add(1)
				}
				right := true
				for _, arch := range []string{"amd64", "arm64"} {
					if a.only == "" || a.only == arch {
						a.honest(t, arch)
					}
					right = a.liar(t, arch) && right
				}
				if a.lie != "none" && right {
					found.Add(1)
				}
			})
		}
	})
	const enough = 60
	if os.Getenv("MTOOL_TEST_FULL") != "" && lies.Load() < enough {
		t.Errorf("%d packages have a part for the platform, fewer than %d", lies.Load(), enough)
	}
	t.Logf("%d of %d packages are found without their part for the platform; %d have none", found.Load(), lies.Load(),
		len(all)-int(lies.Load()))
}

// wrong returns the faults of a package in a Debian system.
func wrong(t *testing.T, arch, layer string) (faults []inspect.Finding, text string) {
	t.Helper()
	s := newStack()
	s.file(t, debianLayers(t, arch)[0])
	s.file(t, layer)
	r := inspected(t, inspect.Report{Images: []inspect.Image{s.image(t, "linux/"+arch, "bash")}}, deep.Options{})
	return slices.DeleteFunc(r.Findings, func(f inspect.Finding) bool { return !f.Fails() }), show(r)
}

func (a animal) honest(t *testing.T, arch string) {
	t.Helper()
	layer := a.tar(t, arch)
	own, others := survey(t, layer, arch)
	if own+others == 0 {
		t.Errorf("%s: it has no program, so this proves nothing", arch)
	}
	if a.lie != "none" && own == 0 {
		t.Errorf("%s: it has no program for the platform that could be removed", arch)
	}
	if faults, text := wrong(t, arch, layer); len(faults) > 0 {
		t.Errorf("%s, as installed:\n%.2000s", arch, text)
	}
}

// liar reports whether the spoiled package is found.
func (a animal) liar(t *testing.T, arch string) bool {
	t.Helper()
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[arch]
	var layer string
	switch {
	case a.lie == "none", a.lie == "cut" && a.only == other, a.lie != "cut" && a.only == arch:
		return true
	case a.lie == "cut":
		layer = cut(t, a.tar(t, arch), arch)
	case a.lie == "other":
		layer = a.tar(t, other)
	case a.lie == "moved":
		layer = moved(t, a.tar(t, other), other, arch)
	default:
		t.Fatalf("there is no lie named %q", a.lie)
	}
	faults, text := wrong(t, arch, layer)
	named := slices.ContainsFunc(faults, func(f inspect.Finding) bool { return f.Path != "" || f.Package != "" })
	if !named {
		t.Errorf("%s, %s:\n%.2000s", arch, a.lie, text)
	}
	return named
}

// walk calls f for the files of a layer, with their first bytes.
func walk(t *testing.T, layer string, f func(h *tar.Header, fact binary.Fact, body io.Reader)) {
	t.Helper()
	in, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var begin bytes.Buffer
		fact, _ := binary.Read(io.TeeReader(r, &begin), binary.Options{})
		f(h, fact, io.MultiReader(&begin, r))
	}
}

// isOwn reports whether a file is a program, a library or a kernel module for the platform.
func isOwn(name string, f binary.Fact, p v1.Platform) bool {
	verdict, _ := binary.Runs(f, p)
	linked := f.Kind == binary.ELFExecutable || f.Kind == binary.ELFShared || f.Kind == binary.ELFObject &&
		strings.HasSuffix(name, ".ko")
	return linked && f.Arch == p.Architecture &&
		(verdict == binary.Right || verdict == binary.Unstated || verdict == binary.Newer)
}

// survey counts a layer's binaries for an architecture and all others.
func survey(t *testing.T, layer, arch string) (own, others int) {
	t.Helper()
	walk(t, layer, func(h *tar.Header, f binary.Fact, _ io.Reader) {
		switch {
		case isOwn(h.Name, f, v1.Platform{OS: "linux", Architecture: arch}):
			own++
		case f.Kind.ELF(), f.Kind == binary.PE, f.Kind == binary.MachO:
			others++
		}
	})
	return own, others
}

// rewritten copies a layer with changed headers. change returns false to leave a file out.
func rewritten(t *testing.T, layer string, change func(h *tar.Header, f binary.Fact) bool) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "layer.tar")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := tar.NewWriter(out)
	walk(t, layer, func(h *tar.Header, f binary.Fact, body io.Reader) {
		if !change(h, f) {
			return
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, body); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// cut copies a layer without the files for an architecture.
func cut(t *testing.T, layer, arch string) string {
	t.Helper()
	p, err := platform.Parse("linux/" + arch)
	if err != nil {
		t.Fatal(err)
	}
	return rewritten(t, layer, func(h *tar.Header, f binary.Fact) bool { return !isOwn(h.Name, f, p) })
}

// moved copies a layer with its files at the paths of another architecture.
func moved(t *testing.T, layer, from, to string) string {
	t.Helper()
	cpu := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}
	words := strings.NewReplacer(cpu[from], cpu[to], from, to)
	return rewritten(t, layer, func(h *tar.Header, _ binary.Fact) bool {
		h.Name, h.Linkname = words.Replace(h.Name), words.Replace(h.Linkname)
		return true
	})
}
