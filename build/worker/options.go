package worker

import (
	"mtool/build"
	"mtool/build/emulator"
	"mtool/registry"
)

// config is what the parent sends to its child, once.
type config struct {
	Root     string // the state directory of this kind of namespace
	OldRoot  string // what an older version has left for it; "": nothing
	Owner    int    // the parent's process id, as the host sees it
	Runc     string // absolute path
	SingleID bool   // one user and one group are mapped
	// Shared: there is no PID namespace, and /proc is the one around.
	Shared bool
	// DropHostname: steps get no name of their own for their machine. The child finds that out.
	DropHostname bool
	// Env is set in the worker but not in what it was started with, which /proc shows.
	Env       []string
	Host      emulator.Host // as the parent knows it
	Emulators []emulator.Found
	// HostEntries keeps the host's binfmt_misc, as kernels before 6.7 must.
	HostEntries bool
	// Insecure lets steps ask for all of the namespace's capabilities.
	Insecure bool
	// Try makes the child run a program of each of these architectures instead of being a worker.
	Try        []string
	PlainHTTP  []string
	SkipVerify []string
	Registries build.Registries
	Proxy      registry.Proxy
}

// message is what a child tells its parent, any number of times; Ready or Failed is the last one.
type message struct {
	Note      string            `json:",omitempty"`
	Ready     bool              `json:",omitempty"`
	NoDevices string            `json:",omitempty"` // of one that is ready: why it makes none
	Tried     map[string]string `json:",omitempty"` // by architecture: why it does not run, "" when it does
	Failed    *failure          `json:",omitempty"`
}

// failure is why a child can't be a worker. It crosses a process border, so it is plain data.
type failure struct {
	Doing  string // gerund and object
	Why    string
	Denied bool   // the kernel refused with EPERM or EACCES
	Masked bool   // it refused a new /proc, and nothing before that
	Hint   string // what to do about it, when the child knows
}

func (f *failure) Error() string { return f.Doing + ": " + f.Why }
