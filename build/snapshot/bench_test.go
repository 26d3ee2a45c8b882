package snapshot_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mtool/build/snapshot"
)

// BenchmarkUnchanged measures a second build of 20,000 unchanged files.
func BenchmarkUnchanged(b *testing.B) {
	dir, memory := b.TempDir(), filepath.Join(b.TempDir(), "memory")
	for i := range 20000 {
		path := filepath.Join(dir, fmt.Sprint("d", i/1000), fmt.Sprint("f", i))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("some text"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	time.Sleep(2 * time.Second)
	walk := func(read bool) {
		m := snapshot.Open(memory)
		tree, err := snapshot.New(dir, snapshot.Options{Memory: m})
		if err != nil {
			b.Fatal(err)
		}
		err = tree.Walk(context.Background(), "/", func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil || !read || info.IsDir() {
				return err
			}
			f, _ := tree.Open(path)
			if _, err := f.Read(make([]byte, 100)); err != nil {
				return err
			}
			if _, err := f.Read(make([]byte, 100)); err == nil {
				return fs.ErrInvalid
			}
			return f.Close()
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Close(); err != nil {
			b.Fatal(err)
		}
	}
	walk(true)
	for b.Loop() {
		walk(false)
	}
}
