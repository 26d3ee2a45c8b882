package worker

import (
	"mtool/build"
	"mtool/build/emulator"
	"mtool/registry"
)

// config is what the parent sends to its child, once.
type config struct {
	Root      string // the state directory of this kind of namespace
	Owner     int    // the parent's process id, as the host sees it
	Runc      string // absolute path
	SingleID  bool   // one user and one group are mapped
	Emulators []emulator.Found
	// HostEntries keeps the host's binfmt_misc, as kernels before 6.7 must.
	HostEntries bool
	// Insecure lets steps ask for all of the namespace's capabilities.
	Insecure bool
	// Try makes the child run programs instead of being a worker.
	Try        *trial
	PlainHTTP  []string
	SkipVerify []string
	Registries build.Registries
	Proxy      registry.Proxy
}

// trial is what to run: for each architecture a program of that name in Dir, which is all that the program sees.
type trial struct {
	Dir   string
	Archs []string
}

// message is what a child tells its parent, any number of times; Ready or Failed is the last one.
type message struct {
	Note   string            `json:",omitempty"`
	Ready  bool              `json:",omitempty"`
	Tried  map[string]string `json:",omitempty"` // by architecture: why it does not run, "" when it does
	Failed *failure          `json:",omitempty"`
}

// failure is why a child can't be a worker. It crosses a process border, so it is plain data.
type failure struct {
	Doing  string // gerund and object
	Why    string
	Denied bool   // the kernel refused with EPERM or EACCES
	Hint   string // what to do about it, when the child knows
}

func (f *failure) Error() string { return f.Doing + ": " + f.Why }
