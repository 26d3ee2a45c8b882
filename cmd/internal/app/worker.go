package app

import (
	"context"
	"errors"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/emulator"
)

// buildOptions are those of everything that runs on a worker.
func (e *Env) buildOptions() build.Options {
	return build.Options{
		StateDir: e.State, EmulatorsDir: filepath.Join(e.Home, "emulators"), Store: e.Store, Credentials: e.Logins,
		Client: e.Client, Registries: e.Transport.Settings, Proxies: e.Transport.Proxies, Note: e.Transport.BuildNote,
	}
}

// Emulators returns how this machine runs each architecture; see build.Emulators.
func (e *Env) Emulators(ctx context.Context, test bool) ([]build.Emulation, error) {
	return build.Emulators(ctx, e.emulatorsDir(), test)
}

// InstallEmulators registers emulators with the host's kernel; see build.InstallEmulators.
func (e *Env) InstallEmulators(platforms []v1.Platform) ([]emulator.Registered, error) {
	return build.InstallEmulators(e.emulatorsDir(), platforms)
}

// Workers looks at the workers that a build would use. The error joins those of the ones that do not answer.
func (e *Env) Workers(ctx context.Context, w build.Execution) ([]build.WorkerInfo, error) {
	seen := build.Workers(ctx, w, e.buildOptions())
	var errs []error
	for _, s := range seen {
		errs = append(errs, s.Err)
	}
	return seen, errors.Join(errs...)
}
