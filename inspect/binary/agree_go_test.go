package binary_test

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

// built is a program built by the Go tool, and the expected facts.
type built struct {
	system, arch string
	env          string // GOARM=6
	baseline     string
	float        binary.Float
}

// targets show each rule; MTOOL_TEST_FULL=1 builds for all targets of the Go tool.
func targets(t *testing.T) []built {
	few := []built{
		{"linux", "amd64", "GOAMD64=v1", "v1", ""},
		{"linux", "amd64", "GOAMD64=v3", "v3", ""},
		{"linux", "arm", "GOARM=5", "v5", binary.Soft},
		{"linux", "arm", "GOARM=7", "v7", binary.Hard},
		{"linux", "s390x", "", "", ""},
		{"windows", "amd64", "GOAMD64=v1", "v1", ""},
		{"darwin", "arm64", "", "", ""},
	}
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		return few
	}
	few = append(few, built{"linux", "arm", "GOARM=6", "v6", binary.Hard},
		built{"linux", "arm", "GOARM=7,softfloat", "v7", binary.Soft},
		built{"linux", "amd64", "GOAMD64=v2", "v2", ""}, built{"linux", "amd64", "GOAMD64=v4", "v4", ""},
		built{"linux", "arm64", "GOARM64=v8.2", "v8.2", ""}, built{"linux", "ppc64le", "GOPPC64=power10", "power10", ""},
		built{"linux", "riscv64", "GORISCV64=rva23u64", "rva23u64", binary.Double},
		built{"linux", "mipsle", "GOMIPS=softfloat", "", binary.Soft})
	out, err := exec.CommandContext(t.Context(), "go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pair := range strings.FieldsSeq(string(out)) {
		system, arch, _ := strings.Cut(pair, "/")
		if system == "android" || system == "ios" || system == "aix" || system == "plan9" || arch == "wasm" {
			continue // they need a C compiler or have other formats
		}
		few = append(few, built{system, arch, "", "", ""})
	}
	return few
}

// Programs linked by Go give the same facts as the standard library, which reads the whole file.
func TestAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the Go tool")
	}
	dir := t.TempDir()
	source := "package main\n\nfunc main() { println(1) }\n"
	for name, text := range map[string]string{"go.mod": "module x\n\ngo 1.26\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range targets(t) {
		t.Run(strings.Join([]string{b.system, b.arch, b.env}, "-"), func(t *testing.T) {
			file := goBuild(t, dir, b)
			f := read(t, file)
			sameAsLibrary(t, f, file)
			sameAsBuildInfo(t, f, file)
			if f.Arch != b.arch || f.Incomplete {
				t.Errorf("%#v", f)
			}
			if b.env != "" && b.system != "darwin" && (f.Baseline != b.baseline || f.Float != b.float) {
				t.Errorf("%#v, want %q %q", f, b.baseline, b.float)
			}
			if verdict, reason := binary.Runs(f, plat(b.system+"/"+b.arch)); verdict == binary.Wrong ||
				verdict == binary.OtherOS {
				t.Errorf("%s: %s", verdict, reason)
			}
		})
	}
}

// A plugin is recognised by its build settings. A C library is not a plugin.
func TestGoPlugin(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil || testing.Short() {
		t.Skip("plugins need a C compiler")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/x\n\ngo 1.26\n",
		"main.go": "package main\n\nimport \"C\"\n\n//export Greet\nfunc Greet() {}\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range []string{"plugin", "c-shared"} {
		file := goBuild(t, dir, built{system: runtime.GOOS, arch: runtime.GOARCH, env: "CGO_ENABLED=1"}, "-buildmode="+mode)
		if f := read(t, file); f.Kind != binary.ELFShared || f.Go == nil || f.Go.Mode != mode ||
			f.Go.Path != "example.com/x" {
			t.Errorf("%s: %#v %#v", mode, f, f.Go)
		}
	}
}

// For WebAssembly there is no library to compare with, only a magic number.
func TestGoWebAssembly(t *testing.T) {
	t.Parallel()
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("compiles the standard library for WebAssembly")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module x\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() { println(1) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, system := range []string{"wasip1", "js"} {
		f := read(t, goBuild(t, dir, built{system: system, arch: "wasm"}))
		if verdict, _ := binary.Runs(f, plat(system+"/wasm")); f.Kind != binary.Wasm || verdict != binary.Right {
			t.Errorf("%s: %#v, %s", system, f, verdict)
		}
	}
}

func goBuild(t *testing.T, dir string, b built, flags ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go",
		append(append([]string{"build", "-trimpath", "-ldflags=-s -w"}, flags...), "-o", out, ".")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS="+b.system, "GOARCH="+b.arch, b.env)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building for %s/%s: %v\n%s", b.system, b.arch, err, text)
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func sameAsLibrary(t *testing.T, f binary.Fact, file []byte) {
	t.Helper()
	r := bytes.NewReader(file)
	if e, err := elf.NewFile(r); err == nil {
		bits := map[elf.Class]int{elf.ELFCLASS32: 32, elf.ELFCLASS64: 64}
		order := map[elf.Data]binary.Order{elf.ELFDATA2LSB: binary.Little, elf.ELFDATA2MSB: binary.Big}
		if f.Machine != uint32(e.Machine) || f.Bits != bits[e.Class] || f.Order != order[e.Data] ||
			f.OSABI != uint8(e.OSABI) || !f.Kind.ELF() {
			t.Errorf("%#v, debug/elf: %#v", f, e.FileHeader)
		}
		return
	}
	if p, err := pe.NewFile(r); err == nil {
		if f.Kind != binary.PE || f.Machine != uint32(p.Machine) || f.Flags != uint32(p.Characteristics) {
			t.Errorf("%#v, debug/pe: %#v", f, p.FileHeader)
		}
		return
	}
	m, err := macho.NewFile(r)
	if err != nil {
		t.Fatalf("no format that the standard library knows: %#v", f)
	}
	if f.Kind != binary.MachO || f.Machine != uint32(m.Cpu) || f.Flags != m.SubCpu {
		t.Errorf("%#v, debug/macho: %#v", f, m.FileHeader)
	}
}

func sameAsBuildInfo(t *testing.T, f binary.Fact, file []byte) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if f.Kind == binary.MachO {
		return // build information is not read from Mach-O
	}
	if f.Go == nil || f.Go.Version != info.GoVersion || f.Go.Version != runtime.Version() {
		t.Fatalf("%#v, debug/buildinfo: %s", f.Go, info.GoVersion)
	}
	equal(t, "path", f.Go.Path, info.Path)
	for _, s := range info.Settings {
		switch s.Key {
		case "-buildmode":
			equal(t, s.Key, f.Go.Mode, s.Value)
		case "GOOS":
			equal(t, s.Key, f.Go.OS, s.Value)
		case "GOARCH":
			equal(t, s.Key, f.Go.Arch, s.Value)
		case "GOARM", "GOAMD64", "GOARM64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64":
			equal(t, s.Key, f.Go.Level, s.Value)
		}
	}
}

func equal(t *testing.T, name, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s %q, want %q", name, got, want)
	}
}
