package worker

import (
	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/registry/remote"
)

// Options configure a worker. StateDir is required.
type Options struct {
	StateDir  string           // created if missing; BuildKit's cache, with one directory for each kind of namespace
	Host      emulator.Host    // this machine; the zero value: what emulator.Detect returns
	Emulators []emulator.Found // registered in the worker's own binfmt_misc
	// HostEntries uses the host's binfmt_misc instead of a private one, as kernels before 6.7 require.
	HostEntries bool
	// NoProcessSandbox makes no PID namespace: steps see the processes around the worker.
	NoProcessSandbox bool
	MaxParallelism   int      // how many steps run at the same time; 0: one for each processor
	Allow            []string // further entitlements: AllowInsecure
	// OwnNetwork gives each step a network of its own. There, the gateway reaches the ports Proxies of this machine's
	// loopback, and with HostGateway all of them.
	OwnNetwork, HostGateway bool
	Proxies                 []uint16
	Registries              remote.Settings   // how to reach registries
	Note                    func(advice.Note) // called with remarks for the user, one line each; may be nil
}

// AllowInsecure entitles steps to all capabilities of the worker's namespace.
const AllowInsecure = "security.insecure"

// note calls Note, if there is one.
func (o Options) note(n advice.Note) {
	if o.Note != nil {
		o.Note(n)
	}
}

// say notes a remark without advice.
func (o Options) say(text string) { o.note(advice.Note{Text: text}) }

// config is what the parent sends to its child, once.
type config struct {
	Root     string // the state directory of this kind of namespace
	OldRoot  string // left by an older version; "" for none
	Owner    int    // the parent's process id, as the host sees it
	Runc     string // absolute path
	SingleID bool   // one user and one group are mapped
	// Shared means that there is no PID namespace, and that /proc is the surrounding one.
	Shared bool
	// DropHostname means that steps get no host name of their own. The child sets it.
	DropHostname bool
	// NoSync means that the databases do not wait for the disk. The child sets it too.
	NoSync bool
	// Env is set in the worker but not in what it was started with, which /proc shows.
	Env       []string
	Host      emulator.Host // as the parent knows it
	Emulators []emulator.Found
	// HostEntries uses the host's binfmt_misc, as kernels before 6.7 require.
	HostEntries bool
	// MaxParallelism is how many steps run at the same time.
	MaxParallelism int
	// Insecure lets steps request all of the namespace's capabilities.
	Insecure bool
	// OwnNetwork, HostGateway and Proxies are those of Options.
	OwnNetwork, HostGateway bool
	Proxies                 []uint16
	// Try makes the child run a program of each architecture instead of a worker.
	Try        []string
	Registries remote.Settings
}

// message is a child's message to its parent. There may be several; the last is Ready or Failed.
type message struct {
	Note      string            `json:",omitempty"`
	Ready     bool              `json:",omitempty"`
	NoDevices string            `json:",omitempty"` // with Ready: why it can't make devices
	Tried     map[string]string `json:",omitempty"` // by architecture: why it does not run, "" if it does
	Failed    *failure          `json:",omitempty"`
}
