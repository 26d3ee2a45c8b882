package fingerprint

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// Files returns a digest of the files that a worker may ask for: of their names, kinds, modes, owners, links, extended
// attributes and contents, but not of their times. Those that the patterns of an ignore file exclude do not count.
func Files(ctx context.Context, tree fsutil.FS, ignored []string) (string, error) {
	if len(ignored) > 0 {
		var err error
		if tree, err = fsutil.NewFilterFS(tree, &fsutil.FilterOpt{ExcludePatterns: ignored}); err != nil {
			return "", err
		}
	}
	all := sha256.New()
	err := tree.Walk(ctx, "", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*types.Stat)
		if !ok {
			return fmt.Errorf("%q has no attributes", path)
		}
		addStat(all, path, stat)
		if !info.Mode().IsRegular() {
			return nil
		}
		return addContent(all, tree, path)
	})
	if err != nil {
		return "", err
	}
	return format([sha256.Size]byte(all.Sum(nil))), nil
}

// addStat adds each part with its length before it, so that no two files look like one.
func addStat(to hash.Hash, path string, s *types.Stat) {
	add(to, []byte(path))
	add(to, []byte(s.Linkname))
	for _, n := range []int64{int64(s.Mode), int64(s.Uid), int64(s.Gid), s.Devmajor, s.Devminor, int64(len(s.Xattrs))} {
		to.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Xattrs)) {
		add(to, []byte(name))
		add(to, s.Xattrs[name])
	}
}

func add(to hash.Hash, part []byte) {
	to.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
	to.Write(part)
}

func addContent(to hash.Hash, tree fsutil.FS, path string) error {
	f, err := tree.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	content := sha256.New()
	if _, err := io.Copy(content, f); err != nil {
		return err
	}
	to.Write(content.Sum(nil))
	return nil
}
