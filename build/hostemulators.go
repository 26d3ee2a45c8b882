package build

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/build/emulator"
	embedded "mtool/build/worker"
)

// Emulation is how this machine runs one architecture.
type Emulation struct {
	emulator.Row
	// Tested says that a program of it was run, and TestErr how that failed.
	Tested  bool
	TestErr error
}

// Emulators returns how this machine runs each architecture, with the emulators in dir and in PATH. With test, a tiny
// program of each one that is not missing is run, as a build's step would be: the rows tell how that went, and the
// error joins the failures.
func Emulators(ctx context.Context, dir string, test bool) ([]Emulation, error) {
	found := emulator.Survey(ctx, emulator.Detect(), dir, emulator.ReadEntries(emulator.Dir))
	rows := make([]Emulation, len(found))
	for i, row := range found {
		rows[i].Row = row
	}
	if !test {
		return rows, nil
	}
	var private, byHost embedded.TryOptions
	for _, r := range found {
		switch {
		case r.How == emulator.Missing:
		case r.How == emulator.Emulated && r.Found.Path == "":
			byHost.Archs, byHost.Emulators = append(byHost.Archs, r.Arch), append(byHost.Emulators, r.Found)
		default:
			private.Archs = append(private.Archs, r.Arch)
			if r.How == emulator.Emulated {
				private.Emulators = append(private.Emulators, r.Found)
			}
		}
	}
	for _, o := range []embedded.TryOptions{private, byHost} {
		if len(o.Archs) == 0 {
			continue
		}
		tried, err := embedded.Try(ctx, o)
		if err != nil {
			return rows, err
		}
		for i, r := range rows {
			if why, ok := tried[r.Arch]; ok {
				rows[i].Tested, rows[i].TestErr = true, why
			}
		}
	}
	return rows, testFailures(rows)
}

// testFailures are of the kind of a worker that does not run a platform.
func testFailures(rows []Emulation) error {
	var errs []error
	for _, r := range rows {
		if r.TestErr != nil {
			errs = append(errs, &WorkerError{Doing: "testing " + r.Arch, Err: r.TestErr})
		}
	}
	return errors.Join(errs...)
}

// InstallEmulators registers emulators in dir and in PATH with the host's kernel, for everything that runs on it; no
// platform: all that were found. It goes on past one that fails.
func InstallEmulators(dir string, platforms []v1.Platform) ([]emulator.Registered, error) {
	all := len(platforms) == 0
	if all {
		for _, arch := range emulator.Architectures() {
			platforms = append(platforms, v1.Platform{OS: "linux", Architecture: arch})
		}
	}
	var done []emulator.Registered
	var errs []error
	for _, p := range platforms {
		found, err := foreignEmulator(dir, p)
		if err != nil {
			if !all {
				errs = append(errs, err)
			}
			continue
		}
		r, err := emulator.Register(emulator.Dir, found)
		if err == nil {
			done = append(done, r)
		}
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if err == nil && len(done) == 0 {
		err = &WorkerError{
			Doing: "registering emulators", Err: fmt.Errorf("no static QEMU binary in %s or PATH", dir),
			Advice: advice.Say("install the package qemu-user-static"),
		}
	}
	return done, err
}

// foreignEmulator finds the emulator of a platform that this machine does not run natively.
func foreignEmulator(dir string, p v1.Platform) (emulator.Found, error) {
	doing := "registering an emulator of " + p.Architecture
	how, err := emulator.Detect().Support(p)
	if err == nil && how.Native {
		err = errors.New("it runs natively here")
	}
	if err != nil {
		return emulator.Found{}, &WorkerError{Doing: doing, Err: err}
	}
	found, err := emulator.Find(how.Emulator, dir)
	if missing := (*emulator.MissingError)(nil); errors.As(err, &missing) {
		return found, &WorkerError{Doing: doing, Err: err, Advice: advice.Say(missing.Hint())}
	}
	return found, err
}

// UninstallEmulators removes entries that InstallEmulators made; no platform: all of them.
func UninstallEmulators(platforms []v1.Platform) ([]emulator.Registered, error) {
	gone := emulator.Ours(emulator.Dir)
	if len(platforms) > 0 {
		gone = nil
		for _, p := range platforms {
			known, ok := emulator.ByArch(p.Architecture)
			if !ok {
				return nil, &WorkerError{Doing: "unregistering an emulator of " + p.Architecture, Err: emulator.ErrImpossible}
			}
			gone = append(gone, known)
		}
	}
	var done []emulator.Registered
	var errs []error
	for _, g := range gone {
		r, err := emulator.Unregister(emulator.Dir, g)
		if err == nil {
			done = append(done, r)
		}
		errs = append(errs, err)
	}
	return done, errors.Join(errs...)
}
