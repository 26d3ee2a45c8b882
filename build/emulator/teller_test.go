package emulator

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestTeller runs each teller natively or with an installed emulator. A teller prints the file that the kernel
// executes.
func TestTeller(t *testing.T) {
	t.Parallel()
	for arch := range tellers() {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "teller")
			if err := os.WriteFile(path, Teller(arch), 0o755); err != nil {
				t.Fatal(err)
			}
			command, want := []string{path}, path
			support, err := Detect().Support(v1.Platform{OS: "linux", Architecture: arch})
			if err != nil {
				t.Skip(err)
			}
			if !support.Native {
				found, err := Find(support.Emulator, "../../.deps/qemu/usr/bin")
				if err != nil {
					t.Skip(err)
				}
				if want, err = filepath.EvalSymlinks(found.Path); err != nil {
					t.Fatal(err)
				}
				command = []string{found.Path, path}
			}
			out, err := exec.Command(command[0], command[1:]...).Output()
			if err != nil || string(out) != want {
				t.Errorf("got %q (%v), want %q", out, err, want)
			}
		})
	}
	if Teller("vax") != nil {
		t.Error("a program for an unknown architecture")
	}
}
