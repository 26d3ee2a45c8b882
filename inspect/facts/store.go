package facts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
	"mtool/registry"
	"mtool/registry/regular"
)

// version is the first directory of the folder. It stands for the layout below it and the format of the files: a line
// with the SHA-256 of the JSON that follows.
const version = "v2"

// maxFile limits what is read of one file, in bytes. Larger facts are not stored.
const maxFile = 64 << 20

// Store is a folder of facts. The zero value stores nothing. It is safe for use from several goroutines and processes.
type Store struct {
	dir string
}

// Open returns the store in a folder. It does no I/O.
func Open(dir string) Store { return Store{dir: dir} }

func (s Store) file(digest v1.Hash) string {
	return filepath.Join(s.dir, version, digest.Algorithm, digest.Hex+".json")
}

// Get returns the facts of a layer, if they are stored and match their checksum: a flipped bit on a disk must not flip
// a verdict.
func (s Store) Get(digest v1.Hash) (rootfs.LayerFacts, bool) {
	if s.dir == "" || !isFileName(digest) {
		return rootfs.LayerFacts{}, false
	}
	f, err := regular.Open(s.file(digest))
	if err != nil {
		return rootfs.LayerFacts{}, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	sum, body, ok := bytes.Cut(data, []byte{'\n'})
	if err != nil || !ok || string(sum) != checksum(body) {
		return rootfs.LayerFacts{}, false
	}
	var facts rootfs.LayerFacts
	if err := json.Unmarshal(body, &facts); err != nil || facts.Digest != digest {
		return rootfs.LayerFacts{}, false
	}
	return facts, true
}

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Put stores the facts of a layer, completely or not at all.
func (s Store) Put(facts rootfs.LayerFacts) error {
	if s.dir == "" || !isFileName(facts.Digest) {
		return nil
	}
	body, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("keeping facts of layer %s: %w", facts.Digest, err)
	}
	data := slices.Concat([]byte(checksum(body)), []byte{'\n'}, body)
	if len(data) > maxFile {
		return nil
	}
	if err := write(s.file(facts.Digest), data); err != nil {
		return fmt.Errorf("keeping facts of layer %s: %w", facts.Digest, err)
	}
	return nil
}

// isFileName reports whether a digest can be the name of a file.
func isFileName(digest v1.Hash) bool {
	const sha256Digits = 64
	return digest.Algorithm == "sha256" && len(digest.Hex) == sha256Digits && filepath.Base(digest.Hex) == digest.Hex
}

// write does not sync: a file that a crash damages is ignored.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return registry.WriteFile(path, registry.WriteOptions{NoSync: true},
		func(w io.Writer) error { _, err := w.Write(data); return err })
}
