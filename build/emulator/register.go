package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// prefix starts the names of mtool's entries. Entries with other names belong to other programs and stay untouched.
const prefix = "mtool-"

// Registered is what Register or Unregister found or did.
type Registered struct {
	Arch    string
	Entry   string // its name
	Changed bool   // false: it was so already
	Other   bool   // the entry is another program's
}

// Register makes an entry for f in the binfmt_misc at dir, for the whole machine and until it reboots. If an existing
// entry works in containers, Register changes nothing.
func Register(dir string, f Found) (Registered, error) {
	name := prefix + f.Name
	if x, ok := Serving(ReadEntries(dir), f.Emulator); ok {
		return Registered{Arch: f.Arch, Entry: x.Name, Other: x.Name != name}, nil
	}
	line, err := f.Line()
	if err != nil {
		return Registered{}, err
	}
	// One of mtool's own has the name: it was disabled, or somebody changed its flags.
	if err := write(filepath.Join(dir, name), "-1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Registered{}, hostError("registering", f.Emulator, dir, err)
	}
	if err := write(filepath.Join(dir, "register"), line); err != nil {
		return Registered{}, hostError("registering", f.Emulator, dir, err)
	}
	if _, ok := Serving(ReadEntries(dir), f.Emulator); !ok {
		return Registered{}, hostError("registering", f.Emulator, dir,
			errors.New("the kernel accepted the entry but does not list it"))
	}
	return Registered{Arch: f.Arch, Entry: name, Changed: true}, nil
}

// Unregister removes mtool's entry for e from the binfmt_misc at dir. It keeps an entry of another program.
func Unregister(dir string, e Emulator) (Registered, error) {
	name := prefix + e.Name
	entries := ReadEntries(dir)
	if !slices.ContainsFunc(entries, func(x Entry) bool { return x.Name == name }) {
		x, other := Serving(entries, e)
		return Registered{Arch: e.Arch, Entry: x.Name, Other: other}, nil
	}
	if err := write(filepath.Join(dir, name), "-1"); err != nil {
		return Registered{}, hostError("unregistering", e, dir, err)
	}
	return Registered{Arch: e.Arch, Entry: name, Changed: true}, nil
}

// Ours returns the emulators that have an entry of mtool's in the binfmt_misc at dir.
func Ours(dir string) []Emulator {
	var all []Emulator
	known := emulators()
	for _, arch := range Architectures() {
		if slices.ContainsFunc(ReadEntries(dir), func(x Entry) bool { return x.Name == prefix+known[arch].Name }) {
			all = append(all, known[arch])
		}
	}
	return all
}

// write does not create a missing file.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// HostError is a failed change of the host's binfmt_misc.
type HostError struct {
	Unmounted string // the directory at which there is no binfmt_misc; "" for another failure
	doing     string
	err       error
}

func hostError(verb string, e Emulator, dir string, err error) error {
	h := &HostError{doing: fmt.Sprintf("%s qemu-%s on this host", verb, e.Name), err: err}
	if errors.Is(err, fs.ErrNotExist) {
		h.Unmounted = dir
	}
	return h
}

func (e *HostError) Error() string { return e.doing + ": " + strings.TrimSpace(e.err.Error()) }
func (e *HostError) Unwrap() error { return e.err }

// Hint returns the next action.
func (e *HostError) Hint() string {
	switch {
	case e.Unmounted != "":
		return "mount binfmt_misc at " + e.Unmounted
	case errors.Is(e.err, fs.ErrPermission), errors.Is(e.err, syscall.EROFS):
		return "this takes root; builds by mtool need no registration"
	}
	return ""
}
