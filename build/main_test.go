package build_test

import (
	"cmp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/build/worker"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/store"
)

func TestMain(m *testing.M) {
	worker.Main() // the worker of these tests is this binary
	if order := os.Getenv(orderEnv); order != "" {
		os.Exit(runOrder(order))
	}
	os.Exit(m.Run())
}

// needs skips a test if a part that it needs is missing, or fails it if MTOOL_TEST_REQUIRE (a comma-separated list)
// names that part.
func needs(t *testing.T, parts ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts workers")
	}
	for _, part := range parts {
		why := missing(part)
		if why == "" {
			continue
		}
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), part) {
			t.Fatalf("MTOOL_TEST_REQUIRE wants %s: %s", part, why)
		}
		t.Skipf("no %s: %s", part, why)
	}
}

func missing(part string) string {
	var err error
	switch part {
	case "buildkit":
		path := os.Getenv("PATH")
		defer func() { _ = os.Setenv("PATH", path) }()
		_ = os.Setenv("PATH", path+":/usr/sbin:/sbin")
		_, err = exec.LookPath("runc")
	case "qemu":
		var s emulator.Support
		if s, err = emulator.Detect().Support(foreign()); err == nil {
			_, err = emulator.Find(s.Emulator, os.TempDir())
		}
	case "root":
		if os.Geteuid() != 0 {
			return "this is an ordinary user"
		}
	case "user":
		if _, err = user.Lookup(testUser()); err != nil {
			return err.Error() + " (useradd -m mtooltest, or MTOOL_TEST_USER)"
		}
	default:
		return "unknown part"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// testUser is an ordinary user with a subuid range.
func testUser() string { return cmp.Or(os.Getenv("MTOOL_TEST_USER"), "mtooltest") }

// foreign returns a platform that this machine can only emulate.
func foreign() v1.Platform {
	for _, arch := range []string{"arm64", "s390x"} {
		if s, err := emulator.Detect().Support(v1.Platform{OS: "linux", Architecture: arch}); err == nil && !s.Native {
			return v1.Platform{OS: "linux", Architecture: arch}
		}
	}
	return v1.Platform{OS: "linux", Architecture: "riscv64"}
}

// app compiles testdata/app for p.
func app(t testing.TB, p v1.Platform, to string) {
	t.Helper()
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, "./testdata/app")
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture,
		"GOARM="+strings.TrimPrefix(p.Variant, "v"), "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("compiling for %s: %v: %s", platform.Format(p), err, out)
	}
}

// contextDir makes a build context: a Dockerfile and, for each platform, the app as app-ARCH.
func contextDir(t testing.TB, dockerfile string, platforms ...v1.Platform) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Dockerfile"), dockerfile)
	for _, p := range platforms {
		app(t, p, filepath.Join(dir, "app-"+p.Architecture))
	}
	return dir
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// home is the store and the state that builds of one test share.
type home struct {
	store *store.Store
	o     build.Options
	notes []string
}

func newHome(t testing.TB) *home {
	dir := t.TempDir()
	h := &home{store: store.Open(filepath.Join(dir, "store"))}
	h.o = build.Options{
		StateDir: filepath.Join(dir, "worker"), EmulatorsDir: filepath.Join(dir, "emulators"), Store: h.store,
		Note: func(n advice.Note) { h.notes = append(h.notes, n.Text) },
	}
	return h
}

// named names an image demo:v1-ARCH.
func named(t testing.TB) func(v1.Platform) registry.Ref {
	return func(p v1.Platform) registry.Ref { return ref(t, "demo:v1-"+platform.Suffix(p)) }
}

func ref(t testing.TB, name string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
