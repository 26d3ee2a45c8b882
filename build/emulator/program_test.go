package emulator

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestProgram runs the program of each architecture natively or with an installed emulator.
func TestProgram(t *testing.T) {
	t.Parallel()
	for _, arch := range Architectures() {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			body := Program(arch)
			f, err := elf.NewFile(bytes.NewReader(body))
			if err != nil || !emulators()[arch].Matches(body) || len(f.Progs) != 1 {
				t.Fatalf("not a program of its architecture: %v", err)
			}
			path := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(path, body, 0o755); err != nil {
				t.Fatal(err)
			}
			command := []string{path}
			support, err := Detect().Support(v1.Platform{OS: "linux", Architecture: arch})
			if err != nil {
				t.Skip(err)
			}
			if !support.Native {
				found, err := Find(support.Emulator, "../../.deps/qemu/usr/bin")
				if err != nil {
					t.Skip(err)
				}
				command = []string{found.Path, path}
			}
			err = exec.Command(command[0], command[1:]...).Run()
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != ProgramExit {
				t.Errorf("%v: %v, want exit code %d", command, err, ProgramExit)
			}
		})
	}
	if Program("vax") != nil {
		t.Error("a program for an unknown architecture")
	}
}
