package app

import (
	"context"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/emulator"
)

func (e *Env) emulatorsDir() string { return filepath.Join(e.Home, "emulators") }

// Emulators returns how this machine runs each architecture; see build.Emulators.
func (e *Env) Emulators(ctx context.Context, test bool) ([]build.Emulation, error) {
	return build.Emulators(ctx, e.emulatorsDir(), test)
}

// InstallEmulators registers emulators with the host's kernel; see build.InstallEmulators.
func (e *Env) InstallEmulators(platforms []v1.Platform) ([]emulator.Registered, error) {
	return build.InstallEmulators(e.emulatorsDir(), platforms)
}
