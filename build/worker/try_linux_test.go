package worker

import (
	"errors"
	"os/exec"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/emulator"
)

func TestTry(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork",
		"true").CombinedOutput(); err != nil {
		t.Skipf("no namespaces here: %s", out)
	}
	own := emulator.Detect().Platform.Architecture
	foreign := "s390x"
	if own == foreign {
		foreign = "arm64"
	}
	tried, err := Try(t.Context(), TryOptions{Archs: []string{own, "mips", foreign}, Emulators: found(t, foreign)})
	if err != nil {
		t.Fatal(err)
	}
	if tried[own] != nil {
		t.Errorf("%s: %v", own, tried[own])
	}
	if len(found(t, foreign)) == 1 && tried[foreign] != nil {
		t.Errorf("%s: %v", foreign, tried[foreign])
	}
	if tried["mips"] == nil { // nothing was registered for it
		t.Error("a program ran for which there is no emulator")
	}
	liar := []emulator.Found{{Emulator: emulatorOf(t, "arm64"), Path: "/bin/true"}}
	if own != "arm64" {
		if tried, err := Try(t.Context(), TryOptions{Archs: []string{"arm64"}, Emulators: liar}); err == nil &&
			tried["arm64"] == nil {
			t.Error("an emulator that does nothing passed")
		}
	}
	if _, err := Try(t.Context(),
		TryOptions{
			Archs:     []string{own},
			Emulators: []emulator.Found{{Emulator: emulatorOf(t, "arm64"), Path: "/nowhere"}},
		}); !errors.Is(err, ErrNoWorker) {
		t.Errorf("a missing emulator: %v", err)
	}
}

// found returns the emulator for arch, if this machine has one.
func found(t *testing.T, arch string) []emulator.Found {
	t.Helper()
	f, err := emulator.Find(emulatorOf(t, arch), "../../.deps/qemu/usr/bin")
	if err != nil {
		return nil
	}
	return []emulator.Found{f}
}

func emulatorOf(t *testing.T, arch string) emulator.Emulator {
	t.Helper()
	support, err := emulator.Host{Platform: v1.Platform{OS: "linux", Architecture: "riscv64"}}.Support(v1.Platform{
		OS:           "linux",
		Architecture: arch,
	})
	if err != nil {
		t.Fatal(err)
	}
	return support.Emulator
}
