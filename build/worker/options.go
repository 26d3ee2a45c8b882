package worker

import (
	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/registry/remote"
)

// Options is what a worker is made of. StateDir is needed.
type Options struct {
	StateDir  string           // made when missing; BuildKit's cache, below it one directory a kind of namespace
	Host      emulator.Host    // this machine; the zero value: what emulator.Detect returns
	Emulators []emulator.Found // registered in the worker's own binfmt_misc
	// HostEntries keeps the host's binfmt_misc instead of making a private one, as kernels before 6.7 must.
	HostEntries bool
	// NoProcessSandbox makes no PID namespace: steps see the processes around the worker.
	NoProcessSandbox bool
	Allow            []string        // entitlements beyond the usual: AllowInsecure
	Registries       remote.Settings // how they are reached
	Note             func(string)    // told what a user should know, one line each; nil: not told
}

// AllowInsecure is the entitlement of steps to all capabilities of the worker's namespace.
const AllowInsecure = "security.insecure"

// Say tells Note a line, when there is one.
func (o Options) Say(line string) {
	if o.Note != nil {
		o.Note(line)
	}
}

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
	// NoSync: the databases do not wait for the disk. The child finds that out too.
	NoSync bool
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
	Registries remote.Settings
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
	Denied bool // the kernel refused with EPERM or EACCES
	Masked bool // it refused a new /proc, and nothing before that
	Advice advice.Advice
}

func (f *failure) Error() string { return f.Doing + ": " + f.Why }
