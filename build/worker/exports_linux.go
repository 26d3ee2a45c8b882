//go:build !mips64le

package worker

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/exporter/local"
	"github.com/moby/buildkit/exporter/util/epoch"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/util/progress"
	"github.com/moby/buildkit/worker/base"
	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"mtool/build/device"
)

// deviceWorker is BuildKit's worker with exporters that know which files stand for devices, and make the same bytes
// again for the same inputs.
type deviceWorker struct {
	*base.Worker
	noDevices error         // why it can't make any
	init      *initExecutor // for emulated steps; nil if there are none
}

// Exporter implements worker.Worker.
func (w deviceWorker) Exporter(name string, sessions *session.Manager) (exporter.Exporter, error) {
	e, err := w.Worker.Exporter(name, sessions)
	switch {
	case err != nil:
	case name == client.ExporterLocal || name == client.ExporterTar:
		e = fileExporter{e, sessions}
	default:
		e = imageExporter{e}
	}
	return e, err
}

type fileExporter struct {
	exporter.Exporter
	sessions *session.Manager
}

func (e fileExporter) Resolve(ctx context.Context, id int, attrs map[string]string) (exporter.ExporterInstance, error) {
	i, err := e.Exporter.Resolve(ctx, id, attrs)
	if err != nil {
		return nil, err
	}
	x := fileExport{ExporterInstance: i, sessions: e.sessions}
	_, err = x.how.Load(attrs)
	return x, err
}

// fileExport sends the files of a result to a session: one by one, or as an archive.
type fileExport struct {
	exporter.ExporterInstance
	sessions *session.Manager
	how      local.CreateFSOpts
}

// Export implements exporter.ExporterInstance.
func (e fileExport) Export(ctx context.Context, from *exporter.Source, info exporter.ExportBuildInfo) (
	map[string]string, exporter.FinalizeFunc, exporter.DescriptorReference, error,
) {
	files, done, err := e.files(ctx, from, info.SessionID)
	if err == nil {
		err = e.send(ctx, files, info.SessionID)
	}
	for _, d := range done {
		if failed := d(); err == nil {
			err = failed
		}
	}
	return nil, nil, nil, err
}

func (e fileExport) send(ctx context.Context, files fsutil.FS, id string) error {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	caller, err := e.sessions.Get(short, id, false)
	if err != nil {
		return err
	}
	if e.Type() == client.ExporterTar {
		w, err := filesync.CopyFileWriter(ctx, nil, e.ID(), caller)
		if err != nil {
			return err
		}
		if err := fsutil.WriteTar(ctx, files, w); err != nil {
			_ = w.Close() // the first error is returned
			return err
		}
		return w.Close()
	}
	progress, end := local.NewProgressHandler(ctx, "copying files")
	defer end()
	return filesync.CopyToCaller(ctx, files, e.ID(), caller, progress)
}

// files returns each platform's files, in separate directories if BuildKit does that. The caller must call all of
// done at the end.
func (e fileExport) files(
	ctx context.Context, from *exporter.Source, id string,
) (all fsutil.FS, done []func() error, err error) {
	several := len(from.Refs) > 0
	platforms, err := exptypes.ParsePlatforms(from.Metadata)
	if err != nil {
		return nil, nil, err
	}
	if len(platforms.Platforms) == 0 {
		platforms.Platforms = []exptypes.Platform{{}}
	}
	var dirs []fsutil.Dir
	for _, p := range platforms.Platforms {
		ref, ok := from.FindRef(p.ID)
		if !ok && several {
			return nil, done, fmt.Errorf("there is no result for %s", p.ID)
		}
		if !ok {
			ref = from.Ref
		}
		how, err := e.at(from, &p)
		if err != nil {
			return nil, done, err
		}
		files, end, err := local.CreateFS(ctx, id, p.ID, ref, from.Attestations[p.ID], time.Now().Truncate(time.Second),
			several, how)
		if err != nil {
			return nil, done, err
		}
		done = append(done, end)
		dir := &types.Stat{Mode: uint32(fs.ModeDir | 0o755), Path: local.PlatformIDToPath(p.ID)}
		if how.Epoch != nil && how.Epoch.Value != nil {
			dir.ModTime = how.Epoch.Value.UnixNano()
		}
		dirs = append(dirs, fsutil.Dir{FS: deviceFS{files, e.skipped(ctx)}, Stat: dir})
	}
	if !e.how.UsePlatformSplit(several) {
		return dirs[0].FS, done, nil
	}
	all, err = fsutil.SubDirFS(dirs)
	return all, done, err
}

// skipped returns a function that reports left-out devices; nil if they are not left out.
func (e fileExport) skipped(ctx context.Context) func(string) {
	if e.Attrs()[device.SkipAttr] == "" {
		return nil
	}
	return func(path string) { _ = progress.OneOff(ctx, "leaving out device "+path)(nil) } // for display only
}

// at returns how the files of a platform are exported: with the time of the request, or that of the result.
func (e fileExport) at(from *exporter.Source, p *exptypes.Platform) (local.CreateFSOpts, error) {
	how := e.how
	if how.Epoch != nil {
		return how, nil
	}
	t, err := epoch.ParseSource(from, p)
	how.Epoch = &epoch.Epoch{Value: t}
	return how, err
}

// deviceFS shows the devices for which files stand. The receiver never creates them: they become headers of an
// archive, or an error.
type deviceFS struct {
	fsutil.FS
	skipped func(path string) // called with devices to leave out; nil leaves none out
}

func (f deviceFS) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	return f.FS.Walk(ctx, target, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry == nil || !entry.Type().IsRegular() {
			return fn(path, entry, err)
		}
		info, err := entry.Info()
		if err != nil {
			return fn(path, entry, err)
		}
		stat, ok := info.Sys().(*types.Stat)
		if !ok {
			return fn(path, entry, nil)
		}
		d, ok := device.Parse(string(stat.Xattrs[device.Attribute]))
		if !ok {
			return fn(path, entry, nil)
		}
		if f.skipped != nil {
			f.skipped(path)
			return nil
		}
		shown := stat.Clone()
		shown.Mode |= uint32(d.Mode())
		shown.Size, shown.Devmajor, shown.Devminor = 0, int64(d.Major), int64(d.Minor)
		delete(shown.Xattrs, device.Attribute)
		return fn(path, &fsutil.DirEntryInfo{Stat: shown}, nil)
	})
}
