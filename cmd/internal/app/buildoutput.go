package app

import (
	"errors"
	"os"
	"path/filepath"

	"mtool/build"
	"mtool/registry"
)

// openOutputs opens the outputs of a build. An OCI archive of several platforms, or in a compression of its own, is
// written from the store later.
// finish moves the files to their names or, given an error, removes them.
func openOutputs(o BuildOptions) (exports []build.Export, finish func(error) error, err error) {
	var files []*registry.PendingFile
	finish = func(err error) error { return commitFiles(files, err) }
	for _, out := range o.Outputs {
		if out.Type == "local" {
			exports = append(exports, build.Export{Dir: out.Dest})
			continue
		}
		if out.Type == "oci" && o.fromStore() {
			if len(o.Names) == 0 || out.Dest == "-" {
				return nil, nil, finish(
					registry.Usagef("an OCI archive of several platforms, or with --compression, needs -t NAME and dest=FILE"))
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

// fromStore reports whether OCI archives are written from the store, not by BuildKit.
func (o BuildOptions) fromStore() bool { return len(o.Platforms) > 1 || !o.Compression.IsZero() }

// checkPaths refuses files that links in the build context would lead outside of it.
func checkPaths(o BuildOptions, context string) error {
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
