package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// ReadBlob reads a blob of at most limit bytes. The error of a larger one wraps ErrLimit.
func ReadBlob(ctx context.Context, source registry.Source, d v1.Descriptor, limit int64) (data []byte, err error) {
	if d.Size > limit {
		return nil, fmt.Errorf("%w: %s has %d bytes, more than %d", ErrLimit, d.Digest, d.Size, limit)
	}
	blob, err := source.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, blob.Close()) }()
	data, err = readUpTo(blob, d, limit)
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrLimit, d.Digest, limit)
	}
	return data, err
}

// readUpTo reads at most one byte more than announced: that byte brings a verifying source to its end, and more than
// that would exceed what was counted for the descriptor.
func readUpTo(blob io.Reader, d v1.Descriptor, limit int64) ([]byte, error) {
	if d.Size > 0 {
		limit = d.Size
	}
	data, err := io.ReadAll(io.LimitReader(blob, limit+1))
	if err == nil && d.Size > 0 && int64(len(data)) > limit {
		err = fmt.Errorf("%w: %s has more than %d bytes", registry.ErrContent, d.Digest, limit)
	}
	if len(data) < bytes.MinRead {
		data = bytes.Clone(data) // ReadAll holds 512 bytes; a list has ten thousand configs
	}
	return data, err
}
