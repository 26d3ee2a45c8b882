package store

import (
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// An index.json has no dates, and a layout has no other place for them: the date of the root's file tells when a name of it
// was written last.

// touch is a courtesy: an image that can't be dated is pruned too early at worst, and only when that is asked for.
func (l *Layout) touch(h v1.Hash) {
	now := time.Now()
	_ = os.Chtimes(l.blobFile(h), now, now)
}

func (l *Layout) named(h v1.Hash) time.Time {
	info, err := os.Stat(l.blobFile(h))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
