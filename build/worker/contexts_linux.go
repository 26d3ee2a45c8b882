//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/moby/buildkit/cache"
	"github.com/moby/buildkit/cache/contenthash"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/snapshot"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/source"
	"github.com/moby/buildkit/source/local"
	"github.com/moby/buildkit/util/progress"
	"github.com/tonistiigi/fsutil"
)

// contexts is BuildKit's source of local files with another transfer. BuildKit sets the mode of a file and then
// writes the content, which makes the kernel clear the set-user-id bit unless the machine's root writes.
type contexts struct {
	source.Source // parses schemes and requests
	cache         cache.Accessor
	arrived       *arrived
}

func newContexts(c cache.Accessor) (source.Source, error) {
	s, err := local.NewSource(local.Opt{CacheAccessor: c})
	return contexts{s, c, &arrived{turns: map[string]chan string{}}}, err
}

func (c contexts) Resolve(
	ctx context.Context, id source.Identifier, sm *session.Manager, v solver.Vertex,
) (source.SourceInstance, error) {
	instance, err := c.Source.Resolve(ctx, id, sm, v)
	request, ok := id.(*local.LocalIdentifier)
	if err != nil || !ok || request.MetadataOnly {
		return instance, err
	}
	return transfer{SourceInstance: instance, wanted: *request, sessions: sm, cache: c.cache, arrived: c.arrived}, nil
}

// transfer brings the files of one directory up to date.
type transfer struct {
	source.SourceInstance
	wanted   local.LocalIdentifier
	sessions *session.Manager
	cache    cache.Accessor
	arrived  *arrived
}

// arrived is what this worker has received. It lives for one command, whose platforms share one view of the files, so
// they are sent once. turns has a channel for each request, which holds the name of what came, or "".
type arrived struct {
	mu    sync.Mutex
	turns map[string]chan string
}

func (a *arrived) turn(request string) chan string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.turns[request] == nil {
		a.turns[request] = make(chan string, 1)
		a.turns[request] <- ""
	}
	return a.turns[request]
}

// Snapshot takes the files from the named session, or from any session of the build.
func (t transfer) Snapshot(ctx context.Context, job solver.JobContext) (files cache.ImmutableRef, err error) {
	if t.wanted.SessionID != "" {
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		caller, err := t.sessions.Get(short, t.wanted.SessionID, false)
		cancel()
		if err == nil {
			return t.from(ctx, caller)
		}
	}
	err = t.sessions.Any(ctx, job.Session(), func(ctx context.Context, _ string, caller session.Caller) (err error) {
		files, err = t.from(ctx, caller)
		return err
	})
	return files, err
}

// keptFor is the index under which the cache stores the files transferred for a shared key.
const keptFor = "mtool.transferred:"

// from returns what came for the same request of another platform, or else requests it.
func (t transfer) from(ctx context.Context, caller session.Caller) (files cache.ImmutableRef, err error) {
	w := t.wanted
	request := fmt.Sprintf("%q",
		[]any{w.Name, w.SharedKeyHint, caller.SharedKey(), w.IncludePatterns, w.ExcludePatterns, w.FollowPaths, w.Differ})
	turn := t.arrived.turn(request)
	var id string
	select {
	case id = <-turn:
		defer func() { turn <- id }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if id != "" && caller.SharedKey() != "" {
		if files, err = t.cache.Get(ctx, id, nil); err == nil {
			return files, nil
		} // otherwise another request has changed it since
	}
	if files, err = t.send(ctx, caller); err == nil {
		id = files.ID()
	}
	return files, err
}

// send updates the files of the previous transfer.
func (t transfer) send(ctx context.Context, caller session.Caller) (_ cache.ImmutableRef, err error) {
	key := keptFor + t.wanted.Name + ":" + t.wanted.SharedKeyHint + ":" + caller.SharedKey()
	ref, err := t.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil { // it is unknown what arrived
			err = errors.Join(err, ref.SetCachePolicyDefault())
			contenthash.ClearCacheContext(ref)
			go ref.Release(context.WithoutCancel(ctx)) //nolint:errcheck // the next prune removes it
		}
	}()
	sums, err := contenthash.GetCacheContext(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := t.fill(ctx, caller, ref, sums); err != nil {
		return nil, err
	}
	if err := contenthash.SetCacheContext(ctx, ref, sums); err != nil {
		return nil, err
	}
	if err := ref.SetString("mtool.transferred", key, key); err != nil {
		return nil, err
	}
	return ref.Commit(ctx)
}

// open opens the files of the previous transfer, or starts with none.
func (t transfer) open(ctx context.Context, key string) (cache.MutableRef, error) {
	found, err := t.cache.Search(ctx, key, false)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if ref, err := t.cache.GetMutable(ctx, f.ID()); err == nil { // otherwise it is in use
			return ref, nil
		}
	}
	return t.cache.New(ctx, nil, nil, cache.CachePolicyRetain,
		cache.WithRecordType(client.UsageRecordTypeLocalSource), cache.WithDescription("local source for "+t.wanted.Name))
}

func (t transfer) fill(
	ctx context.Context, caller session.Caller, ref cache.MutableRef, sums contenthash.CacheContext,
) error {
	mountable, err := ref.Mount(ctx, false, nil)
	if err != nil {
		return err
	}
	mounter := snapshot.LocalMounter(mountable)
	dir, err := mounter.Mount()
	if err != nil {
		return err
	}
	err = filesync.FSSync(ctx, caller, filesync.FSSendRequestOpt{
		Name: t.wanted.Name, IncludePatterns: t.wanted.IncludePatterns, ExcludePatterns: t.wanted.ExcludePatterns,
		FollowPaths: t.wanted.FollowPaths, Differ: t.wanted.Differ, DestDir: dir, CacheUpdater: arrivals{sums, dir},
		ProgressCb: showProgress(ctx, "transferring "+t.wanted.Name+":"),
	})
	return errors.Join(err, mounter.Unmount())
}

// arrivals records each file when its content has arrived.
type arrivals struct {
	contenthash.CacheContext
	dir string
}

func (arrivals) MarkSupported(bool)                  {}
func (arrivals) ContentHasher() fsutil.ContentHasher { return contenthash.NewFromStat }

// HandleChange restores a file's mode bits, then records its checksum.
func (a arrivals) HandleChange(kind fsutil.ChangeKind, path string, info os.FileInfo, err error) error {
	const bits = fs.ModeSetuid | fs.ModeSetgid
	if err == nil && kind != fsutil.ChangeKindDelete && info.Mode().IsRegular() && info.Mode()&bits != 0 {
		if err := os.Chmod(filepath.Join(a.dir, path), info.Mode()); err != nil {
			return fmt.Errorf("setting the mode of %q: %w", path, err)
		}
	}
	return a.CacheContext.HandleChange(kind, path, info, err)
}

// showProgress reports the received bytes ten times a second.
func showProgress(ctx context.Context, name string) func(int, bool) {
	w, _, _ := progress.NewFromContext(ctx)
	start := time.Now()
	shown := start
	return func(bytes int, last bool) {
		now := time.Now()
		if !last && now.Sub(shown) < 100*time.Millisecond {
			return
		}
		shown = now
		status := progress.Status{Action: "transferring", Current: bytes, Started: &start}
		if last {
			status.Completed = &now
		}
		_ = w.Write(name, status) // for display only
		if last {
			_ = w.Close()
		}
	}
}
