//go:build !mips64le

package worker

import (
	"context"
	"time"

	"github.com/moby/buildkit/cache/remotecache"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/worker"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/build/advice"
	"mtool/registry"
)

// CheckCache returns an error if an embedded worker can't use a cache of this type with these attributes. It sends
// nothing.
func CheckCache(kind string, attrs map[string]string) error {
	switch kind {
	case "s3", "azblob": // their clients would make the program a fifth larger
		return advice.With(registry.Usagef("the embedded worker has no caches of type %s", kind), advice.Of(advice.CacheWorker))
	case "gha":
		if _, err := openActionsCache(attrs); err != nil {
			return registry.Usagef("a cache of type gha: %w", err)
		}
	}
	return nil
}

// indexTime is how long the index of a cache may take. BuildKit reads on for as long as the service sends.
const indexTime = 30 * time.Second

// patient limits how long an importer reads an index. A cache whose index can't be read is a miss.
func patient(resolve remotecache.ResolveCacheImporterFunc) remotecache.ResolveCacheImporterFunc {
	return func(ctx context.Context, g session.Group, attrs map[string]string) (
		remotecache.Importer, ocispecs.Descriptor, error,
	) {
		i, d, err := resolve(ctx, g, attrs)
		return limitedImporter{i}, d, err
	}
}

type limitedImporter struct{ remotecache.Importer }

func (l limitedImporter) Resolve(
	ctx context.Context, d ocispecs.Descriptor, id string, w worker.Worker,
) (solver.CacheManager, error) {
	ctx, cancel := context.WithTimeout(ctx, indexTime)
	defer cancel()
	return l.Importer.Resolve(ctx, d, id, w)
}
