package rootfs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"mtool/inspect/binary"
)

// find looks for a program as exec and execvp do: names without a slash in PATH, others relative to the working
// directory.
func (f *follower) find(name string) (Found, error) {
	switch {
	case name == "":
		return Found{}, fmt.Errorf("%w: the program has no name", ErrMissing)
	case strings.Contains(name, "/"):
		if f.mounted(name) {
			return Found{}, fmt.Errorf("%w: it is in a volume", ErrNotFollowed)
		}
		return f.tree.lookup(f.dir, name)
	}
	var refused error
	for _, dir := range f.path {
		at := name
		if dir != "" {
			at = dir + "/" + name
		}
		if f.mounted(at) {
			return Found{}, fmt.Errorf("%w: it may be in the volume at %s", ErrNotFollowed, dir)
		}
		found, err := f.tree.lookup(f.dir, at)
		if err == nil {
			err = f.runnable(found)
		}
		switch {
		case err == nil, errors.Is(err, ErrUnread):
			return found, err
		case errors.Is(err, ErrNotRunnable) && refused == nil:
			refused = err
		}
	}
	if refused != nil {
		return Found{}, refused
	}
	return Found{}, fmt.Errorf("%w: no %q in PATH (%s)", ErrMissing, name, strings.Join(f.path, ":"))
}

// Path returns the directories in which names without a slash are looked up.
func (c ImageConfig) Path() []string {
	f := newFollower(nil, c)
	return f.path
}

// mounted reports whether a path lies in a mount.
func (f *follower) mounted(name string) bool {
	at := inDir(f.dir, name)
	for _, mount := range f.mounts {
		if mount = path.Clean("/" + mount); at == mount || strings.HasPrefix(at, strings.TrimSuffix(mount, "/")+"/") {
			return true
		}
	}
	return false
}

// inDir resolves a path relative to a directory, without following links.
func inDir(dir, name string) string {
	if strings.HasPrefix(name, "/") {
		return path.Clean(name)
	}
	return path.Join("/", dir, name)
}

// runnable returns why a file can't be executed; nil if it can.
func (f *follower) runnable(found Found) error {
	switch {
	case found.Type == Directory:
		return fmt.Errorf("%w: %q is a directory", ErrNotRunnable, "/"+found.Path)
	case found.Type == Hardlink:
		return fmt.Errorf("%w: %q is a hard link to %q", ErrUnread, "/"+found.Path, "/"+found.File.Target)
	case !found.Runnable:
		return fmt.Errorf("%w: %q has no executable bit", ErrNotRunnable, "/"+found.Path)
	case found.Type == Unread:
		return fmt.Errorf("%w: %q is only listed", ErrUnread, "/"+found.Path)
	case f.direct && found.Type == Plain:
		return fmt.Errorf("%w: %q has no #! line and is not a binary", ErrNotRunnable, "/"+found.Path)
	case f.direct && found.Type == Program && found.File.Fact != nil && !executed(*found.File.Fact):
		return fmt.Errorf("%w: %q is a %s", ErrNotRunnable, "/"+found.Path, found.File.Fact)
	}
	return nil
}

// executed reports whether a kernel executes files of this kind, whatever their machine. WebAssembly counts, since
// special runtimes run it.
func executed(f binary.Fact) bool {
	switch f.Kind {
	case binary.Script:
		return f.Interp != ""
	case binary.ELFObject, binary.ELFCore, binary.ELFOther, binary.JavaArchive, binary.JavaClass:
		return false
	case binary.ELFExecutable, binary.ELFShared, binary.PE, binary.MachO, binary.Wasm, binary.Other:
	}
	return true
}
