package emulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ErrImpossible is a platform that a machine executes neither natively nor with an emulator.
var ErrImpossible = errors.New("it can't be run")

// Host describes what a machine executes.
type Host struct {
	Platform v1.Platform // its own; the variant is the highest level of its processor
	Also     []string    // further architectures that processor and kernel execute: "386" on amd64, "arm" on arm64
}

// Support is how a host runs the programs of a platform.
type Support struct {
	Native   bool
	Emulator Emulator // the one to use when not native
}

// Support returns how h runs programs of target. The error wraps ErrImpossible.
func (h Host) Support(target v1.Platform) (Support, error) {
	switch {
	case target.OS != "linux" || h.Platform.OS != "linux":
		return Support{}, h.impossible(target, "only linux programs run on linux")
	case target.Architecture == h.Platform.Architecture:
		if level(target) > level(h.Platform) {
			// An emulator for the machine's own architecture would run every native program too.
			return Support{}, h.impossible(target, "the processor's level is "+h.Platform.Architecture+"/"+h.Platform.Variant)
		}
		return Support{Native: true}, nil
	case slices.Contains(h.Also, target.Architecture):
		return Support{Native: true}, nil
	}
	e, ok := emulators()[target.Architecture]
	if !ok {
		return Support{}, h.impossible(target, "QEMU emulation is known for "+strings.Join(Architectures(), ", "))
	}
	return Support{Emulator: e}, nil
}

func (h Host) impossible(target v1.Platform, why string) error {
	return fmt.Errorf("running %s on %s: %w: %s", target.String(), h.Platform.String(), ErrImpossible, why)
}

// level orders the variants of one architecture: amd64/v3 > amd64/v1, arm/v7 > arm/v6. A missing variant is the usual
// one.
func level(p v1.Platform) int {
	if v := strings.TrimPrefix(p.Variant, "v"); len(v) == 1 && v[0] >= '0' && v[0] <= '9' {
		return int(v[0] - '0')
	}
	switch p.Architecture {
	case "amd64":
		return 1
	case "arm":
		return 7
	case "arm64":
		return 8
	}
	return 0
}
