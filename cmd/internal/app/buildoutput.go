package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mtool/build"
	"mtool/registry"
)

// BuildOutput is something that a build makes besides, or instead of, the image in the store.
type BuildOutput struct {
	Type string // local, tar, oci, docker
	Dest string // a directory for local, else a file; "-" is standard output
}

// openOutputs makes exports of the outputs. Several platforms can't share an archive: that one is written from the list
// afterwards. finish puts the files in their places, or removes them after an error.
func openOutputs(o BuildOptions) (exports []build.Export, finish func(error) error, err error) {
	var files []*registry.PendingFile
	finish = func(err error) error { return commitFiles(files, err) }
	for _, out := range o.Outputs {
		if out.Type == "local" {
			exports = append(exports, build.Export{Dir: out.Dest})
			continue
		}
		if out.Type == "oci" && len(o.Platforms) > 1 {
			if len(o.Names) == 0 || out.Dest == "-" {
				return nil, nil, finish(
					registry.Usagef("an OCI archive of several platforms is made of their list: it needs -t NAME and dest=FILE"))
			}
			continue
		}
		x := build.Export{Type: out.Type, Archive: o.Data}
		if len(o.Names) > 0 {
			x.Name = o.Names[0].Name()
		}
		if out.Dest != "-" {
			f, err := registry.CreatePending(out.Dest, registry.WriteOptions{Mode: 0o644})
			if errors.Is(err, os.ErrNotExist) {
				err = registry.Usagef("output %q: no such directory", out.Dest)
			}
			if err != nil {
				return nil, nil, finish(err)
			}
			files = append(files, f)
			x.Archive = f
		}
		exports = append(exports, x)
	}
	return exports, finish, nil
}

// checkPlaces refuses files that would be written below the context, and out of it by a link there.
func checkPlaces(o BuildOptions, context string) error {
	files := []string{o.IDFile, o.MetadataFile, o.ResultFile}
	for _, out := range o.Outputs {
		if out.Type != "local" && out.Dest != "-" {
			files = append(files, out.Dest)
		}
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		if info, err := os.Stat(file); err != nil || !info.IsDir() {
			file = filepath.Dir(file) // a link that is the file itself is replaced
		}
		if err := build.CheckOutput(context, file); err != nil {
			return err
		}
	}
	return nil
}

func commitFiles(files []*registry.PendingFile, failed error) error {
	errs := []error{failed}
	for _, f := range files {
		if err := f.Commit(failed); failed == nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// deliver takes what was built to its other destinations than the store.
func (e *Env) deliver(ctx context.Context, o BuildOptions, built *Built) error {
	several := len(o.Platforms) > 1
	for _, name := range o.Names {
		push := PushOptions{List: name.At(registry.TransportStore)}
		if several {
			push.List = name.At(registry.TransportDraft)
		}
		for _, out := range o.Outputs {
			if out.Type == "oci" && several && name == o.Names[0] {
				to, err := registry.ParseRef("oci-archive:" + out.Dest + ":" + name.Tag)
				if err != nil {
					return registry.Usagef("output %q: %w", out.Dest, err)
				}
				push.Dests = append(push.Dests, to)
			}
		}
		if o.Push {
			push.Dests = append(push.Dests, name.At(registry.TransportRegistry))
		}
		if o.Load {
			push.Dests = append(push.Dests, name.At(registry.TransportEngine))
		}
		if len(push.Dests) == 0 {
			continue
		}
		done, err := e.Push(ctx, push)
		built.add(done.Made...)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file that a user has named.
func writeFile(path string, write func(io.Writer) error) error {
	if err := registry.WriteFile(path, registry.WriteOptions{Mode: 0o644}, write); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}
