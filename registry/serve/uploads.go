package serve

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

const (
	// uploadTime is how long an idle upload is kept, and blobTime how long a blob that no manifest names.
	uploadTime = time.Hour
	blobTime   = 24 * time.Hour
	// maxUploads is how many uploads may be open at one time.
	maxUploads = 1000
	// Partial uploads are files of the stage; complete blobs are in a folder for each repository.
	partialPrefix = "upload-"
	blobsPrefix   = "blobs-"
)

// uploads holds what clients have sent and no manifest names yet: open uploads, and blobs by repository and digest.
type uploads struct {
	mu    sync.Mutex
	stage *store.Stage
	open  map[string]*upload
	swept time.Time
}

// upload is an open upload. The request that sends to it holds busy.
type upload struct {
	id, repo string
	file     string
	busy     chan struct{}
	received atomic.Int64 // bytes in the file
	hash     hash.Hash    // of these bytes, by SHA-256
	touched  atomic.Int64 // Unix time
}

// begin opens an upload.
func (u *uploads) begin(ctx context.Context, s *store.Store, repo string) (*upload, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.prepare(ctx, s); err != nil {
		return nil, err
	}
	if len(u.open) >= maxUploads {
		return nil, errTooMany
	}
	id := strings.ToLower(rand.Text())
	up := &upload{
		id: id, repo: repo, file: filepath.Join(u.stage.Dir, partialPrefix+id), busy: make(chan struct{}, 1),
		hash: sha256.New(),
	}
	up.touch()
	u.open[id] = up
	return up, nil
}

var errTooMany = errors.New("too many uploads are open")

// prepare makes the stage when it is needed first, and removes what was abandoned.
func (u *uploads) prepare(ctx context.Context, s *store.Store) (err error) {
	if u.stage == nil {
		if u.stage, err = s.Stage(ctx); err != nil {
			return err
		}
		u.open = map[string]*upload{}
	}
	now := time.Now()
	for id, up := range u.open {
		if up.touched.Load() < now.Add(-uploadTime).Unix() {
			delete(u.open, id)
			err = errors.Join(err, registry.RemoveFile(up.file))
		}
	}
	if now.Sub(u.swept) < time.Hour {
		return err
	}
	u.swept = now
	blobs, globErr := filepath.Glob(filepath.Join(u.stage.Dir, blobsPrefix+"*", "*"))
	for _, file := range blobs {
		if info, statErr := os.Lstat(file); statErr == nil && info.ModTime().Before(now.Add(-blobTime)) {
			err = errors.Join(err, registry.RemoveFile(file))
		}
	}
	return errors.Join(err, globErr)
}

// find returns an open upload of a repository.
func (u *uploads) find(repo, id string) (*upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	up, ok := u.open[id]
	return up, ok && up.repo == repo
}

// drop ends an upload and removes what it has received.
func (u *uploads) drop(up *upload) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.open, up.id)
	return registry.RemoveFile(up.file)
}

func (u *uploads) close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stage == nil {
		return nil
	}
	return u.stage.Close()
}

// blob returns the path of a complete blob, present or not.
func (u *uploads) blob(repo string, h v1.Hash) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stage == nil {
		return ""
	}
	return filepath.Join(u.stage.Dir, fmt.Sprintf("%s%x", blobsPrefix, sha256.Sum256([]byte(repo))), h.Algorithm+"-"+h.Hex)
}

// adopt makes file, whose digest is h, a blob of the repository. With a link the file keeps its own name too.
func (u *uploads) adopt(repo string, h v1.Hash, file string, move func(from, to string) error) error {
	path := u.blob(repo, h)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = move(file, path)
	}
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // at worst it is removed too early, and sent again
	}
	return err
}

func (up *upload) touch() { up.touched.Store(time.Now().Unix()) }

// errLong says that a blob is longer than it may be.
var errLong = errors.New("the blob is too long")

// errSent wraps what kept bytes from arriving. What has arrived stays.
var errSent = errors.New("the blob did not arrive whole")

// receive appends what body brings, up to most bytes in all (0: any number). It keeps nothing in memory.
func (up *upload) receive(body io.Reader, most int64) error {
	f, err := os.OpenFile(up.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	buffer := make([]byte, 32<<10)
	for err == nil {
		var n int
		var sent error
		n, sent = body.Read(buffer)
		up.touch()
		if most > 0 && up.received.Load()+int64(n) > most {
			err = errLong
			break
		}
		if _, err = f.Write(buffer[:n]); err != nil {
			break
		}
		_, _ = up.hash.Write(buffer[:n]) // a hash never fails
		up.received.Add(int64(n))
		if sent == io.EOF {
			break
		}
		if sent != nil {
			err = fmt.Errorf("%w: %w", errSent, sent)
		}
	}
	return errors.Join(err, f.Close())
}

// digest returns the digest of what was received, by the algorithm of want.
func (up *upload) digest(want v1.Hash) (v1.Hash, error) {
	h := up.hash
	if want.Algorithm != "sha256" {
		f, err := regular.Open(up.file)
		if err != nil {
			return v1.Hash{}, err
		}
		defer f.Close()
		if h, err = v1.Hasher(want.Algorithm); err != nil {
			return v1.Hash{}, err
		}
		if _, err := io.Copy(h, f); err != nil {
			return v1.Hash{}, err
		}
	}
	return v1.Hash{Algorithm: want.Algorithm, Hex: fmt.Sprintf("%x", h.Sum(nil))}, nil
}
