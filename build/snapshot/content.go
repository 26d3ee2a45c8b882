package snapshot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tonistiigi/fsutil/types"
)

// rest is how long a file must be unchanged before its ctime proves that it was not changed again: file systems'
// clocks tick in milliseconds, so a second change within a tick would not show.
const rest = 2 * time.Second

func (t *Tree) key(n *node) string { return t.o.Name + "\x00" + n.path }

// content is the content of a node, hashed while it is read. At its end it checks that the file is still the one that
// was looked at.
type content struct {
	file  *os.File
	t     *Tree
	n     *node
	stat  *types.Stat
	hash  hash.Hash
	since time.Time
	whole bool
	bytes int64
	quiet bool // the reader holds the lock of the tree
}

func (t *Tree) open(n *node, stat *types.Stat) (*content, error) {
	f, err := os.OpenFile(filepath.Join(t.dir, n.path), os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	c := &content{file: f, t: t, n: n, stat: stat, hash: sha256.New(), since: time.Now(), quiet: n.stat == nil}
	if !c.same() {
		return nil, errors.Join(changed(n), f.Close())
	}
	for _, name := range slices.Sorted(maps.Keys(stat.Xattrs)) {
		for _, part := range [][]byte{[]byte(name), stat.Xattrs[name]} {
			c.hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			c.hash.Write(part)
		}
	}
	return c, nil
}

// same reports whether the open file is still the one that was looked at.
func (c *content) same() bool {
	info, err := c.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	id, _ := inodeOf(info)
	return id == c.n.id && info.Size() == c.stat.Size &&
		(c.t.o.Entries != nil || info.ModTime().UnixNano() == c.stat.ModTime)
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.hash.Write(p[:n])
	c.bytes += int64(n)
	if err == nil {
		return n, nil
	}
	if !c.quiet {
		c.t.mu.Lock()
		defer c.t.mu.Unlock()
	}
	if errors.Is(err, io.EOF) {
		if err = c.end(); err == nil {
			return n, io.EOF
		}
	}
	if c.quiet {
		return n, err // the reader calls fail
	}
	return n, c.t.fail(err)
}

// end compares what was read with what was looked at, and with what was read before.
func (c *content) end() error {
	sum := digest(c.hash.Sum(nil)[:len(digest{})])
	if c.bytes != c.stat.Size || !c.same() || c.n.sum != nil && *c.n.sum != sum {
		return changed(c.n)
	}
	c.n.sum, c.whole = &sum, true
	if m := c.t.o.Memory; m != nil {
		id := c.n.id
		if c.since.UnixNano()-id.Changed < int64(rest) || !keepsTime(c.file) {
			id.Changed = 0
		}
		m.learn(c.t.key(c.n), c.stat, id, sum)
	}
	return nil
}

// Close forgets nothing: a worker may have kept a part that was sent.
func (c *content) Close() error {
	if m := c.t.o.Memory; m != nil && !c.whole && c.bytes > 0 {
		m.doubt(c.t.key(c.n), c.stat)
	}
	return c.file.Close()
}
