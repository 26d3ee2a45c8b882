package app

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"mtool/build"
	"mtool/build/advice"
	"mtool/compose/draft"
	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
	"mtool/registry/settings"
	"mtool/registry/source"
	"mtool/registry/store"
)

// EnvOptions are the settings that every command shares. The zero value is right for a user without special needs.
type EnvOptions struct {
	remote.Options // NewEnv adds those of registries.yaml, the credentials and Proxy
	Proxies        remote.Proxies
	BuildNote      func(advice.Note) // called with remarks about builds; may be nil
}

// Env has the directories and clients that the functions of this package share.
type Env struct {
	Home      string // drafts/, store/ and emulators/ lie here: MTOOL_HOME, or mtool in the XDG data home
	State     string // the embedded worker's state: MTOOL_HOME/worker, or mtool/worker in the XDG cache home
	Logins    *login.Credentials
	Transport EnvOptions

	notes
	names
}

// names looks up names in drafts, in the store and in registries.
type names struct {
	notes
	Store  *store.Store
	Drafts *draft.Store
	Client *remote.Client

	explain func(string) // called with each decision and its reason; may be nil
}

// NewEnv finds the directories and makes the clients. It writes nothing.
func NewEnv(o EnvOptions) (*Env, error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	home, state, err := directories()
	if err != nil {
		return nil, err
	}
	if o.Options, err = settings.Read(filepath.Join(home, "registries.yaml"), o.Options); err != nil {
		return nil, err
	}
	o.Proxy = o.Proxies.Own()
	if o.Credentials, err = login.Default(); err != nil {
		return nil, err
	}
	env := &Env{Home: home, State: state, Logins: o.Credentials, Transport: o, notes: notes{o.Note}}
	env.names = names{
		notes:  env.notes,
		Store:  store.Open(filepath.Join(home, "store")),
		Drafts: draft.Open(filepath.Join(home, "drafts")),
		Client: remote.NewClient(o.Options), explain: o.Explain,
	}
	return env, nil
}

func (e names) opener() source.Opener {
	return source.Opener{Store: e.Store, Client: e.Client, Explain: e.explain}
}

// buildOptions returns the options of everything that runs on a worker.
func (e *Env) buildOptions() build.Options {
	return build.Options{
		StateDir: e.State, EmulatorsDir: e.emulatorsDir(), Store: e.Store, Credentials: e.Logins,
		Client: e.Client, Registries: e.Transport.Settings, Proxies: e.Transport.Proxies, Note: e.Transport.BuildNote,
		Draft: e.openDraft,
	}
}

// directories returns Env.Home and Env.State, by MTOOL_HOME or the XDG base directory specification.
func directories() (home, state string, err error) {
	if dir := os.Getenv("MTOOL_HOME"); dir != "" {
		abs, err := filepath.Abs(dir)
		return abs, filepath.Join(abs, "worker"), err
	}
	user, err := os.UserHomeDir()
	if err != nil && (os.Getenv("XDG_DATA_HOME") == "" || os.Getenv("XDG_CACHE_HOME") == "") {
		return "", "", registry.WithHint(fmt.Errorf("finding a directory for the local store: %w", err), "set MTOOL_HOME")
	}
	data := cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(user, ".local", "share"))
	cache := cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(user, ".cache"))
	return filepath.Join(data, "mtool"), filepath.Join(cache, "mtool", "worker"), nil
}

func (e *Env) emulatorsDir() string { return filepath.Join(e.Home, "emulators") }

// factsDir is next to the worker's state: MTOOL_HOME/facts, or mtool/facts in the XDG cache home.
func (e *Env) factsDir() string { return filepath.Join(filepath.Dir(e.State), "facts") }
