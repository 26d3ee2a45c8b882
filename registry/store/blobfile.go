package store

import (
	"errors"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// File opens the file of a blob, unverified, for who reads parts of it. A missing one is an error that wraps
// registry.ErrNotFound.
func (s *Store) File(h v1.Hash) (*os.File, error) {
	f, err := regular.Open(s.layout.blobFile(h))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading %s in %q: %w", h, s.Dir(), registry.ErrNotFound)
	}
	return f, err
}
