package build

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"

	"mtool/build/device"
	"mtool/build/snapshot"
)

// Names of the directories that a worker may ask for, as the frontend knows them.
const (
	mainContext   = "context"
	dockerfileDir = "dockerfile"
)

// files are the directories of a job, the same for all its platforms.
type files struct {
	trees    map[string]*snapshot.Tree
	memory   *snapshot.Memory
	sessions map[*worker]*session.Session // through which a worker gets them once for all of its platforms
	cancels  []context.CancelFunc         // one for each session
}

// openFiles opens the directories of a job without reading them. failed is called if a file can't be read.
func openFiles(job Job, workers []*worker, failed func(error)) (*files, error) {
	dirs := map[string]string{mainContext: job.Spec.Context}
	for name, given := range job.Spec.Contexts {
		if !isImage(given) && !isRemote(given) {
			dirs[contextMount(name)] = given
		}
	}
	f := &files{trees: map[string]*snapshot.Tree{}, sessions: map[*worker]*session.Session{}}
	f.memory = snapshot.Open(memoryOf(job, dirs))
	devices := snapshot.Devices{Skip: job.Spec.SkipDevices}
	for _, w := range workers {
		devices.Refused = cmp.Or(devices.Refused, w.noDevices())
	}
	var err error
	for name, dir := range dirs {
		o := snapshot.Options{Memory: f.memory, Name: name, Devices: devices, Failed: failed, Hidden: device.Attribute}
		if name == mainContext {
			o.Entries = job.Spec.Entries
		}
		if f.trees[name], err = snapshot.New(dir, o); err != nil {
			return nil, errors.Join(err, f.memory.Close())
		}
	}
	// A worker requests the whole Dockerfile each time.
	if f.trees[dockerfileDir], err = snapshot.New(filepath.Dir(job.Spec.Dockerfile),
		snapshot.Options{Failed: failed}); err != nil {
		return nil, errors.Join(err, f.memory.Close())
	}
	return f, nil
}

// memoryOf returns the file that records what workers have of these directories; "" if a directory is temporary.
func memoryOf(job Job, dirs map[string]string) string {
	if job.Spec.Fetched || job.Options.StateDir == "" {
		return ""
	}
	b, _ := json.Marshal(dirs) // maps of strings always encode, with sorted keys
	sum := sha256.Sum256(b)
	return filepath.Join(memories(job.Options.StateDir), hex.EncodeToString(sum[:16]))
}

func memories(stateDir string) string { return filepath.Join(stateDir, "contexts") }

// source serves the directories.
func (f *files) source() session.Attachable {
	dirs := filesync.StaticDirSource{}
	for name, tree := range f.trees {
		dirs[name] = tree
	}
	return filesync.NewFSSyncProvider(dirs)
}

// share opens a session on w from which the solves of all its platforms take the files, so that they are sent once.
func (f *files) share(ctx context.Context, w *worker) error {
	s, err := session.NewSession(ctx, f.memory.Key())
	if err != nil {
		return err
	}
	s.Allow(f.source())
	ctx, cancel := context.WithCancel(ctx)
	f.cancels = append(f.cancels, cancel)
	go func() { _ = s.Run(ctx, w.sessions()) }() // if it breaks, each solve has the files as well
	f.sessions[w] = s
	return nil
}

// into makes the files part of a request to w.
func (f *files) into(o *client.SolveOpt, w *worker) {
	o.SharedKey = f.memory.Key() // a worker requests what has changed since it last got this key
	o.Session = append(o.Session, f.source())
	if s, ok := f.sessions[w]; ok {
		for name := range f.trees {
			o.FrontendAttrs["local-sessionid:"+name] = s.ID()
		}
	}
}

// err returns why a file could not be read; nil if all requested files were read.
func (f *files) err() error {
	for _, name := range slices.Sorted(maps.Keys(f.trees)) {
		if err := f.trees[name].Err(); err != nil {
			return fmt.Errorf("reading the build context: %w", err)
		}
	}
	return nil
}

// close ends the sessions of share and records what workers have. Session.Close alone would wait for a worker whose
// link is down.
func (f *files) close() error {
	for _, cancel := range f.cancels {
		cancel()
	}
	var errs []error
	for _, s := range f.sessions {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, f.memory.Close())...)
}
