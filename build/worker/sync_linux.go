//go:build !mips64le

package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/cache/metadata"
	bolt "go.etcd.io/bbolt"
)

// The databases of BuildKit and containerd wait for the disk at every change, a hundred times in a build that changes
// nothing. Here they are opened so that they do not (bolt's NoSync), and the end syncs each of them once. Killing the
// process does no harm, since the kernel has what was written. If the machine goes down in between, the databases may
// be torn: a file with the boot's id shows that, and the state, which is only a cache, is discarded.

// unsynced is that file, in the state directory.
const unsynced = "unsynced"

// bootID returns an id that changes with every start of the kernel; "" if unknown. See random(4).
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// deferSyncs marks the state as not synced. It returns a function that syncs what was written since.
func deferSyncs(root, boot string) (finish func() error, err error) {
	if boot == "" {
		return func() error { return nil }, nil
	}
	mark := filepath.Join(root, unsynced)
	if err := os.WriteFile(mark, []byte(boot), 0o600); err != nil {
		return nil, err
	}
	if err := errors.Join(syncFile(mark), syncFile(root)); err != nil {
		return nil, err
	}
	return func() error {
		var errs []error
		for _, depth := range []string{"*.db", "runc-*/*.db", "runc-*/*/*.db"} {
			databases, err := filepath.Glob(filepath.Join(root, depth))
			errs = append(errs, err)
			for _, path := range databases {
				errs = append(errs, syncFile(path))
			}
		}
		if err := errors.Join(errs...); err != nil {
			return err // the mark stays
		}
		return os.Remove(mark)
	}, nil
}

// syncFile calls fsync on a file or directory.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// database returns the options of the worker's databases.
func (c config) database() *bolt.Options {
	return &bolt.Options{FreelistType: bolt.FreelistMapType, NoSync: c.NoSync}
}

// newMetadata opens BuildKit's database about what is cached. Its constructor takes no options, so they are set
// through a transaction.
func newMetadata(path string, noSync bool) (*metadata.Store, error) {
	store, err := metadata.NewStore(path)
	if err != nil {
		return nil, err
	}
	err = store.DB().View(func(tx *bolt.Tx) error { tx.DB().NoSync = noSync; return nil })
	return store, err
}
