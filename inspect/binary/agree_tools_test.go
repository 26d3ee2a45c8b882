package binary_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

// systemFiles returns regular files of this machine and the programs in the file systems of testdata/rootfs.sh, or all
// files of the directories in MTOOL_BINARIES (a path list).
func systemFiles(t *testing.T) []string {
	t.Helper()
	most, dirs := 200, []string{"/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}
	files := debianPrograms(t)
	if own := os.Getenv("MTOOL_BINARIES"); own != "" {
		most, dirs, files = 1<<20, filepath.SplitList(own), nil
	}
	for _, dir := range dirs {
		n := 0
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && n < most {
				if f, err := os.Open(path); err == nil {
					f.Close()
					files = append(files, path)
					n++
				}
			}
			return nil
		})
	}
	if len(files) == 0 {
		t.Skip("no files")
	}
	return files
}

// debianPrograms unpacks the files that are executable or begin like a program, from the smallest layers, or from all
// with MTOOL_TEST_FULL=1.
func debianPrograms(t *testing.T) (files []string) {
	t.Helper()
	dir, pattern := os.Getenv("MTOOL_ROOTFS"), "*-0.tar"
	if dir == "" {
		dir = filepath.Join("..", "..", ".deps", "rootfs")
	}
	if os.Getenv("MTOOL_TEST_FULL") != "" {
		pattern = "*.tar"
	}
	layers, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) == 0 && slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "debian") {
		t.Fatalf("no file systems in %s: testdata/rootfs.sh makes them", dir)
	}
	for _, layer := range layers {
		files = append(files, unpackPrograms(t, layer)...)
	}
	return files
}

func unpackPrograms(t *testing.T, layer string) (files []string) {
	t.Helper()
	f, err := os.Open(layer)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		n, _ := io.ReadFull(r, head)
		if h.Typeflag != tar.TypeReg || n < 4 || h.Mode&0o111 == 0 && string(head) != "\x7fELF" {
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("%d-%s", len(files), filepath.Base(h.Name)))
		out, err := os.Create(path)
		if err == nil {
			_, err = io.Copy(out, io.MultiReader(bytes.NewReader(head), r))
			err = errors.Join(err, out.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
}

// tool runs a program on all files and returns its output.
func tool(t *testing.T, name string, args, files []string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "debian") {
			t.Fatal(err)
		}
		t.Skip(name + " is not installed")
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
	var out bytes.Buffer
	cmd.Stdout = &out
	_ = cmd.Run() // readelf fails if one of them is not an ELF file
	return out.String()
}

func readFile(t *testing.T, path string) binary.Fact {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f, err := binary.Read(file, binary.Options{Whole: true})
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return f
}

// TestAgreesWithFile compares with file(1): kind, class, byte order, interpreter and build id.
func TestAgreesWithFile(t *testing.T) {
	t.Parallel()
	files := systemFiles(t)
	lines := strings.Split(strings.TrimSpace(tool(t, "file", []string{"-b", "-f", "-"}, files)), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files", len(lines), len(files))
	}
	interp, id := regexp.MustCompile(`interpreter ([^,]+)`), regexp.MustCompile(`BuildID\[\w+\]=(\w+)`)
	seen := 0
	for i, path := range files {
		line, f := strings.NewReplacer("setuid ", "", "setgid ", "", "sticky ", "").Replace(lines[i]), readFile(t, path)
		if strings.HasPrefix(line, "ELF ") != f.Kind.ELF() || strings.HasPrefix(line, "PE32") != (f.Kind == binary.PE) {
			t.Errorf("%s: %#v, file: %s", path, f, line)
		}
		if !f.Kind.ELF() {
			continue
		}
		seen++
		big, wide := strings.Contains(line, "MSB"), strings.HasPrefix(line, "ELF 64-bit")
		if big != (f.Order == binary.Big) || wide != (f.Bits == 64) || f.Interp != submatch(interp, line) ||
			f.BuildID != submatch(id, line) {
			t.Errorf("%s: %#v, file: %s", path, f, line)
		}
	}
	t.Logf("%d files, %d of them ELF", len(files), seen)
}

func submatch(r *regexp.Regexp, s string) string {
	if m := r.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// TestAgreesWithReadelf compares with readelf(1): machine, flags, baselines, float ABI, instruction set and needed
// libraries.
func TestAgreesWithReadelf(t *testing.T) {
	t.Parallel()
	var files []string
	for _, path := range systemFiles(t) {
		if readFile(t, path).Kind.ELF() {
			files = append(files, path)
		}
	}
	// The first argument is a file, so that readelf prints names even if there is only one more.
	out := tool(t, "readelf", append([]string{"-dhnAW", os.Args[0]}, files...), nil)
	printed := map[string]string{}
	for part := range strings.SplitSeq(out, "\nFile: ") {
		path, text, _ := strings.Cut(part, "\n")
		printed[path] = text
	}
	for _, path := range files {
		text, ok := printed[path]
		if !ok {
			t.Errorf("%s: readelf prints nothing", path)
			continue
		}
		agreesWithReadelf(t, path, text)
	}
}

func agreesWithReadelf(t *testing.T, path, text string) {
	t.Helper()
	f := readFile(t, path)
	if f.Kind != binary.ELFObject && f.Kind != binary.ELFCore {
		agreesOnNeeded(t, path, f, text)
	}
	machines := map[string]string{
		"Advanced Micro Devices X86-64": "amd64", "Intel 80386": "386", "ARM": "arm", "AArch64": "arm64",
		"IBM S/390": "s390x",
		"PowerPC64": "ppc64le", "RISC-V": "riscv64", "LoongArch": "loong64", "MIPS R3000": "mips",
	}
	value := func(key string) string {
		return strings.TrimSpace(submatch(regexp.MustCompile(`(?m)^\s*`+regexp.QuoteMeta(key)+`:\s*(.*)$`), text))
	}
	want, known := machines[value("Machine")]
	if known && want != f.Arch && (want != "mips" || !strings.HasPrefix(f.Arch, "mips")) {
		t.Errorf("%s: %s, readelf: %s", path, f.Arch, value("Machine"))
	}
	levels := map[string]string{
		"": "", "v4": "v4", "v4T": "v4", "v5T": "v5", "v5TE": "v5", "v6": "v6", "v6K": "v6",
		"v6KZ": "v6", "v7": "v7", "v8": "v8",
	}
	if f.Arch == "arm" && f.Go == nil && f.Baseline != levels[value("Tag_CPU_arch")] {
		t.Errorf("%s: %#v, readelf: Tag_CPU_arch %s", path, f, value("Tag_CPU_arch"))
	}
	if f.Arch == "arm" && strings.HasPrefix(value("Tag_ABI_VFP_args"), "VFP") != (f.Float == binary.Hard) {
		t.Errorf("%s: %#v, readelf: Tag_ABI_VFP_args %s", path, f, value("Tag_ABI_VFP_args"))
	}
	if isa := submatch(regexp.MustCompile(`x86 ISA needed: (.*)`), text); f.Arch == "amd64" && f.Go == nil &&
		f.Kind != binary.ELFObject {
		newest := isa[strings.LastIndex(isa, "-")+1:]
		if newest == "baseline" {
			newest = "v1"
		}
		equal(t, path, f.Baseline, newest)
	}
}

// agreesOnNeeded compares the needed libraries.
func agreesOnNeeded(t *testing.T, path string, f binary.Fact, text string) {
	t.Helper()
	var want binary.Dynamic
	for _, m := range regexp.MustCompile(`\((NEEDED|RPATH|RUNPATH)\)[^\[]*\[(.*)\]`).FindAllStringSubmatch(text, -1) {
		switch m[1] {
		case "NEEDED":
			want.Needed = append(want.Needed, m[2])
		case "RPATH":
			want.RPath = m[2]
		case "RUNPATH":
			want.RunPath = m[2]
		}
	}
	var got binary.Dynamic
	if f.Dynamic != nil {
		got = *f.Dynamic
	}
	if !slices.Equal(got.Needed, want.Needed) || got.RPath != want.RPath || got.RunPath != want.RunPath {
		t.Errorf("%s: needs %+v, readelf: %+v", path, got, want)
	}
}
