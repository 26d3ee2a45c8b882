package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mtool/registry"
)

// ErrNoPodman is a registry.ErrUnavailable: no program is here that reads podman's store.
var ErrNoPodman = registry.WithKind(
	errors.New("only podman or skopeo can read podman's store, and neither is in PATH"), registry.ErrUnavailable)

// exporter is a program that copies an image out of podman's store, into an OCI archive.
type exporter struct {
	program string
	export  func(ctx context.Context, program string, ref registry.Ref, file string) error
}

func exporters() []exporter { return []exporter{{"podman", podmanExport}, {"skopeo", skopeoExport}} }

// inContainers opens an image or a list of podman's and buildah's own store, which only their programs can read.
func inContainers(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	for _, e := range exporters() {
		if program, err := exec.LookPath(e.program); err == nil {
			return exported(ctx, ref, func(file string) error { return e.export(ctx, program, ref, file) })
		}
	}
	return registry.Object{}, fmt.Errorf("opening %q: %w", ref, ErrNoPodman)
}

// exported opens the archive that save writes. Where open files can be removed nothing is left of it, however the
// process ends.
func exported(ctx context.Context, ref registry.Ref, save func(file string) error) (registry.Object, error) {
	dir, err := os.MkdirTemp("", "mtool-image-*")
	if err != nil {
		return registry.Object{}, fmt.Errorf("opening %q: %w", ref, err)
	}
	file := filepath.Join(dir, "image.tar")
	var o registry.Object
	if err = save(file); err != nil {
		err = fmt.Errorf("opening %q: %w", ref, err)
	} else {
		o, err = openSaved(ctx, ref, file)
	}
	removed := os.RemoveAll(dir)
	if err != nil {
		return registry.Object{}, errors.Join(err, removed)
	}
	if removed != nil {
		o.Closer = closers{o.Closer, removal(dir)}
	}
	return o, nil
}

// podmanExport names the image as people do: podman finds "demo" as localhost/demo too.
func podmanExport(ctx context.Context, podman string, ref registry.Ref, file string) error {
	name := ref.Familiar()
	if err := run(ctx, podman, "image", "exists", name); err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
			return fmt.Errorf("podman has no image of this name: %w", registry.ErrNotFound)
		}
		return err
	}
	if run(ctx, podman, "manifest", "exists", name) == nil {
		return run(ctx, podman, "manifest", "push", "--quiet", "--all", name, "oci-archive:"+file)
	}
	return run(ctx, podman, "save", "--quiet", "--format", "oci-archive", "--output", file, name)
}

// skopeoExport tries the name, and where it has no registry podman's spelling of it.
func skopeoExport(ctx context.Context, skopeo string, ref registry.Ref, file string) error {
	names := []string{ref.Name()}
	if short := ref.Familiar(); short != ref.Name() {
		names = append(names, "localhost/"+short)
	}
	var errs []error
	for _, name := range names {
		err := run(ctx, skopeo, "copy", "--quiet", "--all", "containers-storage:"+name, "oci-archive:"+file)
		if err == nil {
			return nil
		}
		if strings.Contains(err.Error(), "does not resolve to an image ID") {
			err = fmt.Errorf("podman's store has no %s: %w", name, registry.ErrNotFound)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// run runs a program; its error has the last line that the program printed.
func run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	return fmt.Errorf("running %s %s: %w: %s", filepath.Base(program), args[0], err,
		registry.OneLine(lines[len(lines)-1]))
}
