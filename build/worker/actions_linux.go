//go:build !mips64le

package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/labels"
	"github.com/containerd/errdefs"
	"github.com/moby/buildkit/cache/remotecache"
	chains "github.com/moby/buildkit/cache/remotecache/v1"
	index "github.com/moby/buildkit/cache/remotecache/v1/types"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/util/compression"
	"github.com/moby/buildkit/util/progress"
	"github.com/moby/buildkit/util/tracing"
	"github.com/moby/buildkit/worker"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	actionscache "github.com/tonistiigi/go-actions-cache"
)

// actionsCache is a cache of type gha, the cache of GitHub Actions: https://docs.docker.com/build/cache/backends/gha/.
// It has an index for each scope and an entry for each layer, under the names that BuildKit gives them. BuildKit's own
// package is not linked: it brings sigstore, and every start of the program would be 20 ms slower.
type actionsCache struct {
	*actionscache.Cache
	attrs map[string]string
}

const (
	actionsTimeout = 10 * time.Minute // BuildKit's
	createdAt      = "buildkit/createdat"
	maxActionIndex = 64 << 20 // bytes; that of a build with a thousand steps has one million
	forceIndex     = 15 * time.Second
)

func openActionsCache(attrs map[string]string) (*actionsCache, error) {
	url, v2 := attrs["url_v2"], true
	if url == "" || attrs["version"] == "1" {
		url = attrs["url"]
		v2 = strings.Contains(url, "results-receiver.actions.githubusercontent.com")
	}
	switch {
	case attrs["token"] == "":
		return nil, errors.New("it has no token: ACTIONS_RUNTIME_TOKEN is not set")
	case url == "":
		return nil, errors.New("it has no address: neither ACTIONS_RESULTS_URL nor ACTIONS_CACHE_URL is set")
	}
	timeout := actionsTimeout
	if text := attrs["timeout"]; text != "" {
		var err error
		if timeout, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("timeout: %w", err)
		}
	}
	cache, err := actionscache.New(attrs["token"], url, v2, actionscache.Opt{
		Client: tracing.DefaultClient, Timeout: timeout,
	})
	return &actionsCache{cache, attrs}, err
}

// indexKey returns the key of the index that jobs with this scope of GitHub Actions, a branch, write.
func (c *actionsCache) indexKey(scope string) string {
	own := c.attrs["scope"]
	if own == "" {
		own = "buildkit"
	}
	return "index-" + own + "-1-" + digest.FromString(scope).Encoded()[:8]
}

const layerPrefix = "buildkit-blob-1-"

func layerKey(d digest.Digest) string { return layerPrefix + d.String() }

// layers returns a function that reports whether the cache has a layer. With a token for GitHub's REST interface, one
// list answers for all.
func (c *actionsCache) layers(ctx context.Context) func(digest.Digest) (bool, error) {
	if repository, token := c.attrs["repository"], c.attrs["ghtoken"]; repository != "" && token != "" {
		api, err := actionscache.NewRestAPI(repository, token, actionscache.Opt{Client: tracing.DefaultClient})
		if err == nil {
			if keys, err := c.AllKeys(ctx, api, layerPrefix); err == nil {
				return func(d digest.Digest) (bool, error) {
					_, there := keys[layerKey(d)]
					return there, nil
				}
			}
		}
	}
	return func(d digest.Digest) (bool, error) {
		entry, err := c.Load(ctx, layerKey(d))
		return entry != nil, err
	}
}

func exportActions(_ context.Context, _ session.Group, attrs map[string]string) (remotecache.Exporter, error) {
	cache, err := openActionsCache(attrs)
	if err != nil {
		return nil, err
	}
	target := chains.NewCacheChains()
	return &actionsExporter{CacheExporterTarget: target, chains: target, cache: cache}, nil
}

// actionsExporter writes the layers, then the index.
type actionsExporter struct {
	solver.CacheExporterTarget
	chains *chains.CacheChains
	cache  *actionsCache
}

func (*actionsExporter) Name() string { return "exporting to GitHub Actions Cache" }

func (*actionsExporter) Config() remotecache.Config {
	return remotecache.Config{Compression: compression.New(compression.Default)}
}

func (e *actionsExporter) Finalize(ctx context.Context) (map[string]string, error) {
	config, blobs, err := e.chains.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	has := e.cache.layers(ctx)
	for i, l := range config.Layers {
		blob, ok := blobs[l.Blob]
		if !ok {
			return nil, fmt.Errorf("the cache lacks layer %s", l.Blob)
		}
		if config.Layers[i].Annotations, err = describe(blob.Descriptor); err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.Blob, err)
		}
		there, err := has(l.Blob)
		if err == nil && !there {
			done := progress.OneOff(ctx, "writing layer "+l.Blob.String())
			err = done(e.save(ctx, blob))
		}
		if err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	scope := ""
	for _, s := range e.cache.Scopes() {
		if s.Permission&actionscache.PermissionWrite != 0 {
			scope = s.Scope
		}
	}
	return nil, e.cache.SaveMutable(ctx, e.cache.indexKey(scope), forceIndex,
		func(*actionscache.Entry) (actionscache.Blob, error) { return actionscache.NewBlob(body), nil })
}

// save writes a layer, unless another job has just written it.
func (e *actionsExporter) save(ctx context.Context, blob chains.DescriptorProviderPair) error {
	layer, err := blob.Provider.ReaderAt(ctx, blob.Descriptor)
	if err != nil {
		return err
	}
	if err = e.cache.Save(ctx, layerKey(blob.Descriptor.Digest), layer); errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// describe returns what the index says of a layer.
func describe(d ocispecs.Descriptor) (*index.LayerAnnotations, error) {
	diffID, err := digest.Parse(d.Annotations[labels.LabelUncompressed])
	if err != nil {
		return nil, fmt.Errorf("its uncompressed digest: %w", err)
	}
	a := &index.LayerAnnotations{DiffID: diffID, Size: d.Size, MediaType: d.MediaType}
	if text := d.Annotations[createdAt]; text != "" {
		if a.CreatedAt, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, err
		}
		a.CreatedAt = a.CreatedAt.UTC()
	}
	return a, nil
}

func importActions(_ context.Context, _ session.Group, attrs map[string]string) (
	remotecache.Importer, ocispecs.Descriptor, error,
) {
	cache, err := openActionsCache(attrs)
	return &actionsImporter{cache}, ocispecs.Descriptor{}, err
}

// actionsImporter reads the index of each scope that the job may read: its own branch, and those it came from.
type actionsImporter struct{ cache *actionsCache }

func (i *actionsImporter) Resolve(ctx context.Context, _ ocispecs.Descriptor, id string, w worker.Worker) (
	solver.CacheManager, error,
) {
	var all []solver.CacheManager
	for _, scope := range i.cache.Scopes() {
		target := chains.NewCacheChains()
		if err := i.read(ctx, scope.Scope, target); err != nil {
			return nil, err
		}
		keys, results, err := chains.NewCacheKeyStorage(target, w)
		if err != nil {
			return nil, err
		}
		all = append(all, solver.NewCacheManager(ctx, id, keys, results))
	}
	return solver.NewCombinedCacheManager(all, nil), nil
}

// read adds the index of a scope, if there is one.
func (i *actionsImporter) read(ctx context.Context, scope string, target *chains.CacheChains) error {
	entry, err := i.cache.Load(ctx, i.cache.indexKey(scope))
	if err != nil || entry == nil {
		return err
	}
	var body bytes.Buffer
	if err := entry.WriteTo(ctx, &limitedBuffer{&body, maxActionIndex}); err != nil {
		return err
	}
	var config index.CacheConfig
	if err := json.Unmarshal(body.Bytes(), &config); err != nil {
		return fmt.Errorf("the index of the cache: %w", err)
	}
	layers := chains.DescriptorProvider{}
	for _, l := range config.Layers {
		if l.Annotations == nil || l.Annotations.DiffID == "" {
			return fmt.Errorf("the index of the cache does not describe layer %s", l.Blob)
		}
		d := ocispecs.Descriptor{
			MediaType: l.Annotations.MediaType, Digest: l.Blob, Size: l.Annotations.Size,
			Annotations: map[string]string{labels.LabelUncompressed: l.Annotations.DiffID.String()},
		}
		if at := l.Annotations.CreatedAt; !at.IsZero() {
			d.Annotations[createdAt] = at.Format(time.RFC3339Nano)
		}
		p := &actionsLayer{cache: i.cache, desc: d}
		layers[l.Blob] = chains.DescriptorProviderPair{Descriptor: d, Provider: p, InfoProvider: p}
	}
	return chains.ParseConfig(config, layers, target)
}

// limitedBuffer fails when it gets more than is left.
type limitedBuffer struct {
	*bytes.Buffer
	left int
}

func (b *limitedBuffer) Write(data []byte) (int, error) {
	if b.left -= len(data); b.left < 0 {
		return 0, fmt.Errorf("the index of the cache has more than %d bytes", maxActionIndex)
	}
	return b.Buffer.Write(data)
}

// actionsLayer is a layer in the cache. What reads it compares its digest.
type actionsLayer struct {
	cache *actionsCache
	desc  ocispecs.Descriptor

	mu    sync.Mutex
	entry *actionscache.Entry
}

func (l *actionsLayer) load(ctx context.Context) (*actionscache.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entry != nil {
		return l.entry, nil
	}
	entry, err := l.cache.Load(ctx, layerKey(l.desc.Digest))
	if err == nil && entry == nil {
		err = fmt.Errorf("layer %s of the cache: %w", l.desc.Digest, errdefs.ErrNotFound)
	}
	l.entry = entry
	return entry, err
}

func (l *actionsLayer) Info(ctx context.Context, d digest.Digest) (content.Info, error) {
	if d != l.desc.Digest {
		return content.Info{}, fmt.Errorf("layer %s: %w", d, errdefs.ErrNotFound)
	}
	_, err := l.load(ctx)
	return content.Info{Digest: d, Size: l.desc.Size}, err
}

func (l *actionsLayer) ReaderAt(ctx context.Context, _ ocispecs.Descriptor) (content.ReaderAt, error) {
	entry, err := l.load(ctx)
	if err != nil {
		return nil, err
	}
	// The reader lives longer than the call that opens it.
	return layerReader{entry.Download(context.WithoutCancel(ctx)), l.desc.Size}, nil
}

type layerReader struct {
	actionscache.ReaderAtCloser
	size int64
}

func (r layerReader) Size() int64 { return r.size }

func (r layerReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.size {
		return 0, io.EOF
	}
	return r.ReaderAtCloser.ReadAt(p, off)
}
