package build

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"

	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	sessioncontent "github.com/moby/buildkit/session/content"
	"github.com/moby/buildkit/session/filesync"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"mtool/build/device"
)

// solve sends a request. Files for a directory are received here: as root, BuildKit's client would make every device
// that a worker names.
func (w *worker) solve(
	ctx context.Context, o client.SolveOpt, r receiver, status chan *client.SolveStatus,
) (*client.SolveResponse, error) {
	if !slices.ContainsFunc(o.Exports, func(e client.ExportEntry) bool { return e.Type == client.ExporterLocal }) {
		return w.client.Solve(ctx, nil, o, status)
	}
	s, err := session.NewSession(ctx, o.SharedKey)
	if err == nil {
		err = r.offer(s, o)
	}
	if err != nil {
		close(status)
		return nil, err
	}
	line, disconnect := context.WithCancel(context.WithoutCancel(ctx)) // it ends a cancelled request
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Run(line, w.sessions()) // if it breaks, the request fails
	}()
	defer func() {
		disconnect()
		<-ended
	}()
	o.SharedSession, o.SessionPreInitialized = s, true
	return w.client.Solve(ctx, nil, o, status)
}

// offer serves the worker on session s what BuildKit's client would, and receives files.
func (r receiver) offer(s *session.Session, o client.SolveOpt) error {
	for _, a := range o.Session {
		s.Allow(a)
	}
	stores := maps.Clone(o.OCIStores)
	for id, blobs := range o.OCIStores {
		delete(stores, id)
		stores["oci:"+id] = blobs
	}
	for _, c := range append(slices.Clone(o.CacheExports), o.CacheImports...) {
		dir := c.Attrs["dest"] + c.Attrs["src"] // one of them
		if c.Type != "local" || dir == "" {
			continue
		}
		blobs, err := contentlocal.NewStore(dir)
		if err != nil {
			return err
		}
		stores["local:"+dir] = blobs
	}
	r.dirs = map[string]string{}
	var others []filesync.FSSyncTarget
	for id, e := range o.Exports {
		switch {
		case e.Type == client.ExporterLocal:
			r.dirs[strconv.Itoa(id)] = e.OutputDir
		case e.OutputStore != nil:
			stores["export"] = e.OutputStore
		case e.Output != nil:
			others = append(others, filesync.WithFSSync(id, e.Output))
		}
	}
	if r.SyncTarget = filesync.NewFSSyncTarget(others...); len(stores) > 0 {
		s.Allow(sessioncontent.NewAttachable(stores))
	}
	s.Allow(r)
	return nil
}

// receiver writes files that a worker sends into directories. Archives are the SyncTarget's.
type receiver struct {
	*filesync.SyncTarget
	dirs map[string]string // by the number of the export
	skip bool              // leave devices out
	say  func(string)
}

// Register implements session.Attachable.
func (r receiver) Register(s *grpc.Server) { filesync.RegisterFileSendServer(s, r) }

// DiffCopy implements filesync.FileSendServer.
func (r receiver) DiffCopy(stream filesync.FileSend_DiffCopyServer) error {
	about, _ := metadata.FromIncomingContext(stream.Context())
	number := "0" // for a worker that knows one export only
	if given := about.Get("buildkit-attachable-exporter-id"); len(given) > 0 {
		number = given[0]
	}
	dir, ok := r.dirs[number]
	if !ok {
		return r.SyncTarget.DiffCopy(stream)
	}
	return r.receive(stream, dir)
}

// receive writes the received files below dir, owned by this user. No worker makes a device on this machine.
func (r receiver) receive(stream fsutil.Stream, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	below, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	// After an error fsutil may still be writing files. They fail if the directory is closed; closing fsutil's root would
	// leave them a nil one, and they would panic.
	defer below.Close() //nolint:errcheck // a folder, opened to stay within it
	ctx, stop := context.WithCancelCause(stream.Context())
	defer stop(nil)
	uid, gid, last := uint32(os.Getuid()), uint32(os.Getgid()), ""
	err = fsutil.ReceiveRoot(ctx, stream, fsutil.NewRoot(below),
		fsutil.ReceiveOpt{Merge: true, Filter: func(path string, stat *types.Stat) bool {
			stat.Uid, stat.Gid = uid, gid
			if fs.FileMode(stat.Mode)&fs.ModeDevice == 0 {
				return true
			}
			switch {
			case !r.skip:
				stop(fmt.Errorf("%q %w", path, device.ErrNotMade))
			case last != path: // it is called twice
				r.say("leaving out device " + path)
			}
			last = path
			return false
		}})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
